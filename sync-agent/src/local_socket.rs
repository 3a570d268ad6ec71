//! The agent's end of the socket to the kiosk: takes frames, hands the wishes to the agent, writes the replies. Who
//! may connect is decided by the folder's group; what may be asked is little and bounded.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sync_protocol::limits;
use sync_protocol::local::{
    LOCAL_VERSION, LocalBody, LocalOutcome, LocalReply, LocalRequest, SOCKET, announced, frame, message,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

/// Connections at once: the kiosk has one, the others are for tools.
const CONNECTIONS: usize = 4;

/// Wishes of one connection under way at once.
const UNDER_WAY: usize = 8;

/// Something the kiosk asks of the agent.
pub(crate) struct Wish {
    pub ticket: String,
    pub within: Duration,
    pub body: LocalBody,
    /// Dropping it unanswered says that it is not possible.
    pub reply: oneshot::Sender<LocalOutcome>,
}

/// The open socket. Dropping it closes it and takes its file away.
pub(crate) struct LocalSocket {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl LocalSocket {
    /// Opens the socket in the state folder. The lock on `delivery.db` makes this agent the only one, so a socket
    /// file that lies there is a dead one.
    pub(crate) fn open(state: &Path, wishes: mpsc::Sender<Wish>) -> std::io::Result<Self> {
        let path = state.join(SOCKET);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o660))?;
        Ok(Self { path, task: tokio::spawn(listen(listener, wishes)) })
    }
}

impl Drop for LocalSocket {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn listen(listener: UnixListener, wishes: mpsc::Sender<Wish>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let wishes = wishes.clone();
                tokio::spawn(async move {
                    serve(stream, wishes).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the local socket cannot take a connection");
                // Out of file descriptors, most likely; others have to give some back first.
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// One connection, until it ends or sends what is no frame.
async fn serve(stream: UnixStream, wishes: mpsc::Sender<Wish>) {
    let (mut from, mut to) = stream.into_split();
    let (replies, mut outgoing) = mpsc::channel::<LocalReply>(UNDER_WAY);
    let writer = tokio::spawn(async move {
        while let Some(reply) = outgoing.recv().await {
            let Ok(bytes) = frame(&reply) else { continue };
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    let room = Arc::new(Semaphore::new(UNDER_WAY));
    while let Ok(request) = read(&mut from).await {
        let permit = Arc::clone(&room).try_acquire_owned();
        let (wishes, replies) = (wishes.clone(), replies.clone());
        tokio::spawn(async move {
            let ticket = request.ticket.clone();
            let outcome = match permit {
                Ok(_permit) => fulfil(request, &wishes).await,
                Err(_) => LocalOutcome::Busy,
            };
            let _ = replies.send(LocalReply { version: LOCAL_VERSION, ticket, outcome }).await;
        });
    }
    drop(replies);
    let _ = writer.await;
}

async fn fulfil(request: LocalRequest, wishes: &mpsc::Sender<Wish>) -> LocalOutcome {
    if request.version != LOCAL_VERSION {
        return LocalOutcome::NotPossible;
    }
    let within = Duration::from_millis(u64::from(request.within_ms.min(limits::MAX_QUERY_MS)));
    let (reply, outcome) = oneshot::channel();
    let wish = Wish { ticket: request.ticket, within, body: request.body, reply };
    if wishes.try_send(wish).is_err() {
        return LocalOutcome::Busy;
    }
    match tokio::time::timeout(within, outcome).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => LocalOutcome::NotPossible,
        Err(_) => LocalOutcome::TooLate,
    }
}

async fn read(from: &mut (impl AsyncReadExt + Unpin)) -> std::io::Result<LocalRequest> {
    let mut head = [0; 4];
    from.read_exact(&mut head).await?;
    let mut json = vec![0; announced(head)?];
    from.read_exact(&mut json).await?;
    message(&json)
}

#[cfg(test)]
mod tests {
    use sync_protocol::local::{read_frame, write_frame};

    use super::*;

    fn ask(within_ms: u32, body: LocalBody) -> LocalRequest {
        LocalRequest { version: LOCAL_VERSION, ticket: "t-1".into(), within_ms, body }
    }

    /// Opens a socket whose wishes are answered by `answer`, and asks over a blocking connection as the kiosk does.
    async fn outcome(answer: fn(Wish), requests: Vec<LocalRequest>) -> Vec<std::io::Result<LocalReply>> {
        let folder = tempfile::tempdir().unwrap();
        let (wishes, mut inbox) = mpsc::channel(16);
        let socket = LocalSocket::open(folder.path(), wishes).unwrap();
        let path = folder.path().join(SOCKET);
        tokio::spawn(async move {
            while let Some(wish) = inbox.recv().await {
                answer(wish);
            }
        });
        let replies = tokio::task::spawn_blocking(move || {
            let mut stream = std::os::unix::net::UnixStream::connect(path).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            for request in &requests {
                write_frame(&mut stream, request).unwrap();
            }
            requests.iter().map(|_| read_frame(&mut stream)).collect()
        });
        let replies = replies.await.unwrap();
        drop(socket);
        assert!(!folder.path().join(SOCKET).exists());
        replies
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "a reply that never comes; it holds nobody's data")]
    async fn a_wish_is_answered_refused_or_too_late() {
        let done =
            outcome(|wish| drop(wish.reply.send(LocalOutcome::Done)), vec![ask(5000, LocalBody::TryNow)]);
        assert_eq!(done.await.remove(0).unwrap().outcome, LocalOutcome::Done);
        let dropped = outcome(drop, vec![ask(5000, LocalBody::TryNow)]);
        assert_eq!(dropped.await.remove(0).unwrap().outcome, LocalOutcome::NotPossible);
        let kept = outcome(|wish| std::mem::forget(wish.reply), vec![ask(30, LocalBody::ReachCity)]);
        assert_eq!(kept.await.remove(0).unwrap().outcome, LocalOutcome::TooLate);
        let mut other = ask(5000, LocalBody::TryNow);
        other.version += 1;
        let other = outcome(|wish| drop(wish.reply.send(LocalOutcome::Done)), vec![other]);
        assert_eq!(other.await.remove(0).unwrap().outcome, LocalOutcome::NotPossible);
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "a reply that never comes; it holds nobody's data")]
    async fn too_many_at_once_are_told_so() {
        let requests = (0..UNDER_WAY + 3).map(|_| ask(2000, LocalBody::ReachCity)).collect();
        let replies = outcome(|wish| std::mem::forget(wish.reply), requests).await;
        let busy =
            |reply: &std::io::Result<LocalReply>| reply.as_ref().unwrap().outcome == LocalOutcome::Busy;
        assert_eq!(replies.iter().filter(|reply| busy(reply)).count(), 3);
    }
}
