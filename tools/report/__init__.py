"""The report on a change: what it did, against another revision, in words, numbers and pictures."""
