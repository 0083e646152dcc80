import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism, hostname, userInfo } from 'node:os'
import { join } from 'node:path'

const programs = ['slurmctld', 'slurmd', 'sbatch', 'srun', 'squeue', 'scancel', 'scontrol']

/** Whether a cluster of one machine can be started here: Debian's slurmctld, slurmd and slurm-client, as root. */
export function canRunSlurm(): boolean {
  const found = (name: string) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0
  return process.platform === 'linux' && process.getuid?.() === 0 && programs.every(found)
}

export interface Slurm {
  /** The environment in which Slurm's programs find this cluster. */
  readonly environment: NodeJS.ProcessEnv
  readonly command: (name: string, ...args: readonly string[]) => string
  /** Ends both daemons and waits until they have: they write into their folder to the last. */
  readonly stop: () => Promise<void>
}

/** A cluster of this machine alone, apart from any other that runs here: its own ports, files and no munge. */
export async function startSlurm(folder: string): Promise<Slurm> {
  const host = hostname().split('.')[0]
  const user = userInfo().username
  const at = (name: string) => join(folder, name)
  for (const name of ['state', 'spool']) mkdirSync(at(name), { recursive: true })
  const [controller, daemon] = await Promise.all([freePort(), freePort()])
  const settings = {
    ClusterName: 'halfdice',
    SlurmctldHost: `${host}(127.0.0.1)`,
    SlurmctldPort: controller,
    SlurmdPort: daemon,
    AuthType: 'auth/none',
    CredType: 'cred/none',
    // A task that is requeued waits until its credential has expired: two minutes by default.
    AuthInfo: 'cred_expire=5',
    SlurmUser: user,
    SlurmdUser: user,
    StateSaveLocation: at('state'),
    SlurmdSpoolDir: at('spool'),
    SlurmctldPidFile: at('slurmctld.pid'),
    SlurmdPidFile: at('slurmd.pid'),
    SlurmctldLogFile: at('slurmctld.log'),
    SlurmdLogFile: at('slurmd.log'),
    ProctrackType: 'proctrack/linuxproc',
    TaskPlugin: 'task/none',
    JobAcctGatherType: 'jobacct_gather/none',
    AccountingStorageType: 'accounting_storage/none',
    MpiDefault: 'none',
    ReturnToService: 2,
    SelectType: 'select/cons_tres',
    SelectTypeParameters: 'CR_Core',
  }
  const cpus = Math.max(2, availableParallelism())
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
  const node = `NodeName=${host} NodeAddr=127.0.0.1 CPUs=${cpus} RealMemory=4000 State=UNKNOWN`
  const partition = 'PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP'
  writeFileSync(at('slurm.conf'), `${[...lines, node, partition].join('\n')}\n`)
  const environment = { ...process.env, SLURM_CONF: at('slurm.conf') }
  const command = (name: string, ...args: readonly string[]) =>
    execFileSync(name, args, { env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  const stop = async () => {
    for (const name of ['slurmd.pid', 'slurmctld.pid']) {
      try {
        const pid = Number(readFileSync(at(name), 'utf8'))
        process.kill(pid)
        for (let waited = 0; waited < 30_000; waited += 100) {
          process.kill(pid, 0)
          await new Promise((resolve) => setTimeout(resolve, 100))
        }
      } catch {
        // It has not come up, or has ended.
      }
    }
  }
  command('slurmctld', '-i', '-f', at('slurm.conf'))
  command('slurmd', '-f', at('slurm.conf'))
  for (let waited = 0; waited < 30_000; waited += 500) {
    await new Promise((resolve) => setTimeout(resolve, 500))
    try {
      if (/idle/.test(command('sinfo', '-h', '-o', '%T'))) return { environment, command, stop }
    } catch {
      // The controller does not answer yet.
    }
  }
  await stop()
  throw new Error(`Slurm has not come up: ${readFileSync(at('slurmctld.log'), 'utf8').slice(-2000)}`)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
