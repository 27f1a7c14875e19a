"""Major hazard sources and their identification by GB 18218-2018."""
