"""Operations: values and gradient rules on arrays, one file a family; no graph."""
