"""The paper's claims in the small: three comparisons on synthetic people."""
