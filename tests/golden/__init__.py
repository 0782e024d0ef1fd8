"""The golden images: what the shipped code made of a few sources once, looked at by a person and kept.

python -m tests.golden REPORT.html   writes a page with every source, derivative, golden image and their difference
python -m tests.golden --update      replaces the golden images by what the code makes now; look at the report first
"""
