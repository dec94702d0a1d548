"""nnctl: describe a network, its data and its recipe in one YAML file, then run it and learn why it trains as it does."""

__version__ = "0.1.0"
