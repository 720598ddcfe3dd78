"""The project's own tooling: what stands behind the executables in hack/.

Modules that run before the virtual environment exists (`console`, `venv`, `toolchain`) use the standard library only.
Nothing here is part of the product or imported by it.
"""
