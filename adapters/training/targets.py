"""What an answer says of one field."""

# A line's number, the numbers of the lines that hold the value together, the value itself, or null.
Target = int | tuple[int, ...] | str | None
