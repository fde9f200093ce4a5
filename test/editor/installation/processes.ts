import { readdir, readFile, readlink } from 'node:fs/promises';

/** A process of this machine, as Linux tells it. */
export interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  readonly argv: readonly string[];
}

async function readProcess(pid: number): Promise<RunningProcess | undefined> {
  try {
    const [status, commandLine] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    // The second field, the name in brackets, may itself hold brackets and blanks.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z'
      ? undefined
      : { pid, parent: Number(fields[1]), argv: commandLine.split('\0').slice(0, -1) };
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}

/** All processes below one, zombies excepted. */
export async function descendantsOf(pid: number): Promise<readonly RunningProcess[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const processes = (await Promise.all(names.map((name) => readProcess(Number(name))))).filter(
    (one) => one !== undefined,
  );
  const below = (parent: number): RunningProcess[] =>
    processes.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  return below(pid);
}

/** The sidecars that run below a process. */
export async function sidecarsBelow(pid: number): Promise<readonly RunningProcess[]> {
  const processes = await descendantsOf(pid);
  return processes.filter(({ argv }) => argv.some((argument) => /[\\/]sidecar\.js$/.test(argument)));
}

const loopback = /^(127\.|::1$|::ffff:127\.)/;

/** `0100007F` → `127.0.0.1`; the 32-bit words of an IPv6 address are in the machine's byte order, too. */
function readableAddress(hex: string): string {
  const bytes = Buffer.from(hex, 'hex').swap32();
  if (bytes.length === 4) return bytes.join('.');
  const isMapped = bytes.subarray(0, 12).equals(Buffer.from('00000000000000000000ffff', 'hex'));
  if (isMapped) return `::ffff:${bytes.subarray(12).join('.')}`;
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return groups.join(':').replace(/^(0:){7}/, '::');
}

/** The addresses outside of this machine that a process has sockets to, as `address:port`. */
export async function remoteAddressesOf(pid: number): Promise<readonly string[]> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const targets = descriptors.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => ''));
  const inodes = new Set(
    (await Promise.all(targets)).flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []),
  );
  const tables = ['tcp', 'tcp6', 'udp', 'udp6'].map((name) =>
    readFile(`/proc/${pid}/net/${name}`, 'utf8').catch(() => ''),
  );
  const rows = (await Promise.all(tables)).flatMap((table) => table.split('\n').slice(1));
  return rows.flatMap((row) => {
    const [, , remote = '', , , , , , , inode = ''] = row.trim().split(/\s+/);
    const [address = '', port = ''] = remote.split(':');
    if (!inodes.has(inode) || /^0*$/.test(address)) return [];
    const readable = readableAddress(address);
    return loopback.test(readable) ? [] : [`${readable}:${Number.parseInt(port, 16)}`];
  });
}
