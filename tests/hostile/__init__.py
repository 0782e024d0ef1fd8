"""Images made to hurt: the generator, the judge that renders one of them within a budget, and the summary.

`python -m tests.hostile --help` runs some or all of them outside pytest.
"""
