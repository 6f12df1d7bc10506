"""Any PEFT folder to a revision with manifest and contract: what its owner knows in, one immutable folder out."""
