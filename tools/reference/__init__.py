"""The reference of every option, made from the models of the YAML file and the library's docstrings."""
