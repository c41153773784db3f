"""A pytest plug-in for the authors of plug-ins."""
