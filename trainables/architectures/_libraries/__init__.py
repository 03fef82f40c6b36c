"""Take networks from libraries by name: `torchvision:NAME`, `timm:NAME`.

A module here is a library. Its `find(name)` returns what the file of an architecture defines:
`Config`, `Model`, `RECIPE`, `IMAGENET`, `REPLACED`.
"""
