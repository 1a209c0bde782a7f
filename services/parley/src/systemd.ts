import { execFile } from 'node:child_process';

/**
 * Tells systemd that the process is ready (`Type=notify`, with `NotifyAccess=all`). Node has no datagram sockets of the
 * local kind, so systemd's own command does it. Does nothing where systemd did not start us.
 */
export function tellSystemd(status: string): void {
  if (process.env.NOTIFY_SOCKET === undefined) return;
  execFile('systemd-notify', ['--ready', `--status=${status}`], { timeout: 10_000 }, error => {
    if (error)
      console.error(
        `parley: systemd could not be told that Parley is ready (${error.message}); Type=exec does without`,
      );
  });
}
