"""nbclient's client with limits on what it takes: outputs are gathered in one linear pass, kept up
to a size, and the time that this takes counts."""

import asyncio
import logging
from collections import Counter

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError

# what went wrong is said once, in a Result
QUIET = logging.Logger("dlcourse-quiet", level=logging.CRITICAL + 1)
START_SECONDS = 60
OUTPUT_SECONDS = 60  # how long the outputs of a finished cell may take to arrive
KEPT = 5_000_000  # characters of a cell's outputs that are kept; our largest has 160,000
MOST = 100_000_000  # a cell that shows more is stopped, before it fills the memory
FRAME = 500  # counted for each output beside its content, so that there are not too many either
# What crashes says in which line, into the kernel's log; ipykernel has another place for stderr.
FIRST = (
    "__import__('faulthandler').enable("
    "getattr(__import__('sys').stderr, '_original_stdstream_copy', 2), all_threads=False)"
)
ADDED = ("stream", "display_data", "execute_result", "error")


class Client(NotebookClient):
    """Executes a notebook within the limits of a `watch` (limits.Watch), which it tells how many
    characters of each cell it left out."""

    def __init__(self, notebook, watch, folder):
        super().__init__(
            notebook,
            kernel_name="python3",
            startup_timeout=START_SECONDS,
            iopub_timeout=OUTPUT_SECONDS,
            raise_on_iopub_timeout=True,
            # nbclient's own way is quadratic in the length of a line
            coalesce_streams=False,
            record_timing=False,
            # there is nothing left to tidy up, and asking politely takes a second
            shutdown_kernel="immediate",
            extra_arguments=["--IPKernelApp.log_level=40", f"--IPKernelApp.exec_lines={FIRST}"],
            resources={"metadata": {"path": folder}},
            log=QUIET,
            on_cell_execute=watch.enter,
            on_cell_executed=watch.leave,
        )
        self.watch = watch
        self._begin()

    def _begin(self):
        self._streams = {}  # name → its output and the pieces of its text
        self._used = Counter()  # characters kept; an error has an allowance of its own
        self._cut = 0

    async def async_execute_cell(self, cell, cell_index, *args, **options):
        """nbclient's, ended when the time is over, whatever it is busy with."""
        self._begin()
        seconds = self.watch.time_left()
        try:
            async with asyncio.timeout(seconds) as limit:
                self._limit = limit
                return await super().async_execute_cell(cell, cell_index, *args, **options)
        except (DeadKernelError, TimeoutError):  # nbclient takes any cancelling for a dead kernel
            if not limit.expired():
                raise
            message = "Cell execution timed out"
            raise CellTimeoutError.error_from_timeout_and_cell(message, seconds, cell) from None
        finally:
            self._finish(cell, cell_index)

    def process_message(self, msg, cell, cell_index):
        """nbclient's, for what there is room for. Widgets (comm_…) are not saved."""
        kind, content = msg["msg_type"], msg["content"]
        if kind.startswith("comm"):
            return None
        if self._clears(kind, content):
            self._begin()
        if kind in (*ADDED, "update_display_data") and not self._fits(kind, content):
            if self._cut > MOST:
                self._limit.reschedule(0)  # a time that is over
            return None
        if kind != "stream":
            return super().process_message(msg, cell, cell_index)
        if content["name"] in self._streams:
            output, pieces = self._streams[content["name"]]
            pieces.append(content["text"])
        else:
            output = super().process_message(msg, cell, cell_index)
            self._streams[content["name"]] = output, [content["text"]]
        return output

    def _clears(self, kind, content):
        if kind == "clear_output":
            return not content.get("wait")
        return kind in ADDED and self.clear_before_next_output

    def _fits(self, kind, content):
        """Takes an output's size from what is left; a text is cut to what fits."""
        parts = [*content.get("data", content).values(), content.get("metadata", "")]
        size, account = sum(len(str(part)) for part in parts), kind == "error"
        # what goes on with a stream is no output of its own
        frame = 0 if kind == "stream" and content["name"] in self._streams else FRAME
        room = KEPT - self._used[account] - frame
        if kind == "stream" and 0 < room < len(content["text"]):
            self._cut += len(content["text"]) - room
            content["text"], size = content["text"][:room], room
        elif size > room:
            self._cut += size
            return False
        self._used[account] += size + frame
        return True

    def _finish(self, cell, cell_index):
        """Each stream becomes one output, standard output before standard error."""
        for output, pieces in self._streams.values():
            output.text = show_returns("".join(pieces))
        if self._cut:
            line = f"\n[{self._cut:,} more characters are left out here]\n"
            cell.outputs.append(nbformat.v4.new_output("stream", name="stdout", text=line))
        if cell.cell_type == "code":
            self.watch.note(cell_index, self._cut)
        names = [output.get("name") for output in cell.get("outputs", [])]
        for index, pair in enumerate(zip(names, names[1:], strict=False)):
            if pair == ("stderr", "stdout"):
                swapped = cell.outputs[index : index + 2]
                cell.outputs[index : index + 2] = reversed(swapped)


def show_returns(text):
    """Text as a terminal shows it: in each line what follows its last carriage return."""
    if "\r" not in text:
        return text
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
