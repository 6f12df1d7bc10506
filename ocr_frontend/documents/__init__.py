"""What a document is: fields, labels, value types, machine-readable zone."""
