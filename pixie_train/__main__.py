"""`python -m pixie_train`, which is what torchrun starts: `pixie-train`."""

import sys

from pixie_runtime.launch import train

sys.exit(train())
