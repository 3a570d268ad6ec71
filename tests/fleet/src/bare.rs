//! What the gateway's figures are compared with: `pgbench` that inserts the same two rows (a record, and its place in the
//! opener's work) into the same tables on the same server and does nothing else, and a bare insert of many such rows.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls};

use crate::load::Sample;

/// Both rows in one statement: the fewest round trips there can be. What is long is a constant, so that it does not
/// even cross the socket.
fn script(sample: &Sample) -> String {
    let Sample { manifest, ciphertext, sha256 } = sample;
    let hex: String = ciphertext.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "\\set seq :seq + 1\n\
         WITH record AS (INSERT INTO inbox (terminal, incarnation, seq, case_id, kind, case_number, verification, item, \
         item_version, sha256, manifest_hash, received_at_ms, manifest, ciphertext) VALUES \
         ('B' || lpad((:client_id)::text, 5, '0'), 'bare-' || :run, :seq, gen_random_uuid()::text, 'case', \
         'F00001-ABCDEFGH-0', substr(md5(:client_id || '-' || :seq || '-' || :run), 1, 20), '12345-appeal', 1, \
         '{sha256}', '{sha256}', 1795327500000 + :seq, '{manifest}', '\\x{hex}') \
         RETURNING terminal, incarnation, seq, received_at_ms) \
         INSERT INTO handling (terminal, incarnation, seq, received_at_ms) SELECT * FROM record;\n"
    )
}

/// A database for `pgbench`.
pub struct Bare {
    database: String,
    folder: TempDir,
    runs: u32,
}

impl Bare {
    /// In this database, which has the gateway's tables, with rows like this sample.
    pub fn new(database: String, sample: &Sample) -> Result<Self> {
        let folder = TempDir::with_prefix("kiosk-pgbench-")?;
        fs::write(folder.path().join("bare.sql"), script(sample))?;
        Ok(Self { database, folder, runs: 0 })
    }

    /// How many a second so many clients insert, one after the other each.
    pub fn rate(&mut self, clients: usize, each: u64) -> Result<f64> {
        let printed = self.pgbench(clients, &["-t", &each.to_string()])?;
        let line =
            printed.lines().find_map(|line| line.strip_prefix("tps = ")).context("pgbench prints tps")?;
        Ok(line.split_whitespace().next().context("a number")?.parse()?)
    }

    /// Milliseconds of each insert from the moment it was meant to begin, at so many a second.
    pub fn paced(&mut self, rate: u32, seconds: u64, clients: usize) -> Result<Vec<f64>> {
        let (rate, seconds) = (rate.to_string(), seconds.to_string());
        self.pgbench(clients, &["-R", &rate, "-T", &seconds, "-l"])?;
        let mut times = Vec::new();
        for entry in fs::read_dir(self.folder.path())? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pgbench_log.")) {
                times.extend(fs::read_to_string(&path)?.lines().filter_map(log_ms));
                fs::remove_file(path)?;
            }
        }
        ensure!(!times.is_empty(), "pgbench wrote no log");
        Ok(times)
    }

    fn pgbench(&mut self, clients: usize, more: &[&str]) -> Result<String> {
        self.runs += 1;
        let word = |name: &str| {
            let found = self.database.split_whitespace().find_map(|word| word.strip_prefix(name));
            found.with_context(|| format!("no {name} in the address"))
        };
        let mut command = Command::new(city_gateway::test_cluster::program("pgbench"));
        command.args(["-n", "-M", "prepared", "-j", "2", "-c", &clients.to_string()]).args(more);
        command.args(["-D", "seq=0", "-D", &format!("run={}", self.runs), "-f", "bare.sql"]);
        command.args(["-h", word("host=")?, "-U", word("user=")?, word("dbname=")?]);
        let output = command.current_dir(self.folder.path()).stdin(Stdio::null()).output();
        let output = output.context("pgbench (Debian package postgresql) cannot be started")?;
        ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The folder it works in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A line of the log: client, number, microseconds, script, when, and with a rate how late it began, which the
/// microseconds contain.
fn log_ms(line: &str) -> Option<f64> {
    Some(line.split_whitespace().nth(2)?.parse::<f64>().ok()? / 1000.0)
}

/// Many rows in one statement, as bare as `INSERT` can be: both tables, arrays as the gateway's store sends them, no
/// question whether anything is new.
const MANY: &str = "
    WITH record AS (
        INSERT INTO inbox (terminal, incarnation, seq, case_id, kind, case_number, verification, item, item_version,
                           sha256, manifest_hash, received_at_ms, manifest, ciphertext)
        SELECT $1, $2, r.seq, r.case_id, 'case', 'F00001-ABCDEFGH-0', r.verification, '12345-appeal', 1, $3, $3,
               1795327500000 + r.seq, r.manifest, r.ciphertext
        FROM unnest($4::bigint[], $5::text[], $6::text[], $7::text[], $8::bytea[])
            AS r (seq, case_id, verification, manifest, ciphertext)
        RETURNING terminal, incarnation, seq, received_at_ms
    )
    INSERT INTO handling (terminal, incarnation, seq, received_at_ms) SELECT * FROM record";

/// How many records a second a bare insert of many at once keeps, on so many connections.
pub async fn many(
    database: &str,
    sample: &Sample,
    records: u64,
    batch: u64,
    connections: u64,
) -> Result<f64> {
    let mut clients = Vec::new();
    for _ in 0..connections {
        let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
        tokio::spawn(connection);
        clients.push(client);
    }
    let begun = Instant::now();
    let share = records / connections;
    let work = clients.iter().map(|client| insert(client, sample, share, batch));
    futures_util::future::try_join_all(work).await?;
    Ok((share * connections) as f64 / begun.elapsed().as_secs_f64())
}

async fn insert(client: &Client, sample: &Sample, records: u64, batch: u64) -> Result<()> {
    let statement = client.prepare(MANY).await?;
    let incarnation = uuid::Uuid::new_v4().to_string();
    let mut next = 1;
    while next <= records {
        let seqs: Vec<i64> = (next..=records.min(next + batch - 1)).map(u64::cast_signed).collect();
        next += seqs.len() as u64;
        let ids: Vec<String> = seqs.iter().map(|_| uuid::Uuid::new_v4().to_string()).collect();
        let codes: Vec<&str> = ids.iter().map(|id| &id[..20]).collect();
        let manifests: Vec<&str> = seqs.iter().map(|_| &*sample.manifest).collect();
        let ciphertexts: Vec<&[u8]> = seqs.iter().map(|_| &*sample.ciphertext).collect();
        let values: [&(dyn ToSql + Sync); 8] =
            [&"BARE00", &incarnation, &sample.sha256, &seqs, &ids, &codes, &manifests, &ciphertexts];
        let kept = client.execute(&statement, &values).await?;
        ensure!(kept == seqs.len() as u64, "{kept} of {} rows were inserted", seqs.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_is_read_and_rubbish_is_not() {
        assert_eq!(log_ms("3 199 2241 0 1795327500 987654 133"), Some(2.241));
        assert_eq!(log_ms("no numbers here"), None);
    }
}
