"""`hack/image`: Interlock's container image, built on a machine without Docker and without a container registry.

    hack/image build                      print the tag; the archive stays in the user's cache
    hack/image build --output FILE        also copy it, for `ctr images import`, `docker load` or `kind load`

It is an ordinary build of webhook/Dockerfile. What differs from `docker build` is where the bases come from: Debian's
own packages, put together by mmdebstrap. Tag and cache go by the content of everything that the image is made from.
"""
