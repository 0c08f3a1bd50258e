"""Console output to rows: three readers, each a pure function from lines to fields."""
