"""`python -m dlcourse build`: the same as the command `dlcourse`."""

import sys

from dlcourse.release.cli import main

sys.exit(main())
