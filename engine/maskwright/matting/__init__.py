"""Photo to matte: pure functions over arrays; networks come in from outside."""
