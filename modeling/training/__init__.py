"""What training any model of ours takes: batches, the loop, checkpoints, the log."""
