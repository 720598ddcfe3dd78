"""Interlock stops dangerous actions in a Kubernetes cluster before they happen and keeps proof of every decision.

The layers of the package, and what each may import, are contracts in pyproject.toml under `tool.importlinter`.
Importing this package has no effect and loads nothing else.
"""

__version__ = "0.1.0"
