"""Benchmarks: what a review costs, measured on the real guard, beside a server of ours that decides nothing.

    hack/bench admission

What is measured, on what, and how to read it: webhook/docs/benchmarks.md. Runs inside the checkout's virtual
environment, on Linux, on two cores or more.
"""
