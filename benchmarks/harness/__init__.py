"""What several benchmarks share: rounds in turns, services, bases and adapters of random weights, engines."""
