// Package logs carries what the child says to pitstop's own output, one JSON object a line: --child-log=json.
//
//   - One object a line: when it was read, the commit, the process, the stream, and the line as it was.
//   - A line that is itself a JSON object is nested byte for byte.
//   - A long line comes in numbered parts, whole characters each; no output line is longer than the bound.
//   - Bytes that are not UTF-8 are replaced where they stand, and counted.
//   - The last words before an exit arrive, those without a newline marked, whoever still holds the pipe.
//   - The child is never blocked: its pipes are read even if the output is stuck, and at a rate that no slow one lowers
//     below what makes 64 MB/s of output.
//   - What the output has no room for is dropped, counted, and told as soon as there is room; nothing when it keeps up.
//   - Lines are never torn: one Write holds whole ones, and no more than a pipe takes in one piece.
//   - An output that fails loses what it refused and no more, and is told how much.
//   - The child gets blocking pipes, other processes get none of their ends, and nothing is left open or running.
//
// # Format
//
// The fields stand in this order; those with a condition are absent otherwise.
//
//	time           RFC 3339, UTC, always nine digits of a second: when pitstop read the end of it
//	commit         the release's name
//	pid            the process pitstop started; what that starts writes under the same number
//	stream         "stdout" or "stderr"
//	line           the line without its newline
//	json           instead of line: it is a JSON object, valid UTF-8, and fits; these are its own bytes
//	part           1, 2, …: the line was too long for one object; its parts joined are the line
//	last           true: the last part
//	unterminated   true: the stream ended here without a newline
//	invalid_bytes  how many bytes were not UTF-8; each stands in line as U+FFFD
//	dropped        instead of line: so many lines (a part counts as one) of this stream are missing here
//
// One more has neither commit, pid nor stream: time, dropped and error say that the output itself refused lines.
//
// What is not promised: order between stdout and stderr, which are two pipes. What Node has not yet handed to the kernel at
// process.exit() is lost there, as with any pipe; ours take 1 MiB at once where the kernel allows, instead of 64 KiB.
package logs
