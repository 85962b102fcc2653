"""Articles."""

from figures.words import with_article


def test_articles() -> None:
    an = ["8", "11", "18", "80", "Ankle boot", "image", "Egg"]
    a = ["5", "1", "10", "T-shirt", "Bag", "180 degrees"]
    assert [with_article(name) for name in an] == [f"an {name}" for name in an]
    assert [with_article(name) for name in a] == [f"a {name}" for name in a]
