"""Words of pictures and pages."""


def with_article(name: str) -> str:
    """The name with its article: "a 5", "an 8", "an Ankle boot"."""
    vowel = name[:1].lower() in ("a", "e", "i", "o", "u", "8") or name in ("11", "18")
    return f"an {name}" if vowel else f"a {name}"
