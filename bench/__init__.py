"""Speed and thrift of meiku, measured beside real servers on the same machine in the same minutes.

`python -m bench` starts everybody on loopback and gives each the same work in turn; see `__main__`. Nothing
in the service imports this package, and it tests nothing: a figure with an error in it is thrown away.
"""
