"""What a change costs the loop; and the article as one script, which the loop is timed beside."""
