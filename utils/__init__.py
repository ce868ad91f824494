"""The contract that the producer and the consumer share."""
