//! Connections, bounded in number and in how long they may be silent. A client that sends its head a
//! byte at a time is cut off; one that holds a connection and asks nothing costs a slot until
//! somebody else wants it.

use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

use super::connection_info::{Activity, ConnectionInfo};
use super::stream::Stream;
use super::tls::Tls;

/// Files the host keeps for itself: segments, the view, components, a compiler's pipes. Should
/// connections take them all, the log could not be written.
const FILES_KEPT: u64 = 256;
/// One in this many connections is asked to leave at once when there is no room, the longest idle
/// first: looking for them costs a look at each.
const LEAVING_SHARE: usize = 32;
/// How long to wait when a connection can't be accepted, such as for want of files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a connection that ends reads what its client still sends, so that the client comes to
/// reading the answer: closing it under unread bytes makes the client's system throw the answer away.
const LINGER_TIME: Duration = Duration::from_secs(10);
/// How much of that is read, in bytes: more than the largest body the host takes.
const LINGER_BYTES_MAX: usize = 64 << 20;
/// How much of it at once.
const LINGER_PIECE_BYTES: usize = 16 << 10;
/// What a client starts with that speaks HTTP/2 without having said so in TLS.
const HTTP2_START: &[u8] = b"PRI ";

/// How many connections there may be, and how long each may be silent.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Open connections. Beyond it the longest idle ones are closed for new ones.
    pub connections: usize,
    /// Until a request's head must be complete, from its first byte; the same for a TLS handshake.
    pub head: Duration,
    /// How long a connection may be open without a request under way.
    pub idle: Duration,
}

/// A listener that accepts while there is room. When there is none it takes the slot of the connections that
/// have been idle longest; when nobody is idle, newcomers wait in the kernel's queue.
pub struct Connections {
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    room: Arc<Semaphore>,
    open: Mutex<Vec<Weak<Activity>>>,
    slots: usize,
    idle: Duration,
    head: Duration,
    started: Instant,
}

impl Connections {
    /// Accepts from this listener within these limits, with TLS when there is a certificate.
    pub fn new(listener: TcpListener, tls: Option<Arc<Tls>>, limits: ConnectionLimits) -> Connections {
        let slots = slots(limits.connections);
        Connections {
            listener,
            tls,
            room: Arc::new(Semaphore::new(slots)),
            open: Mutex::default(),
            slots,
            idle: limits.idle,
            head: limits.head,
            started: Instant::now(),
        }
    }

    /// The next connection. To be given up while it waits costs nothing.
    pub async fn accept(&mut self) -> Connection {
        let slot = self.slot().await;
        let stream = loop {
            match self.listener.accept().await {
                Ok((stream, _)) => break stream,
                // It was gone again before it was accepted.
                Err(error) if is_of_the_connection(&error) => {}
                Err(cause) => {
                    tracing::error!(%cause, "no connection can be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        };
        // Answers are written whole: waiting for more to put into a packet only delays them.
        if let Err(cause) = stream.set_nodelay(true) {
            tracing::debug!(%cause, "a connection keeps Nagle's delay");
        }
        self.connection(stream, slot)
    }

    async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(slot) = self.room.clone().try_acquire_owned() {
            return Some(slot);
        }
        self.ask_the_idle_to_leave();
        // The semaphore is never closed.
        self.room.clone().acquire_owned().await.ok()
    }

    fn ask_the_idle_to_leave(&self) {
        let mut open = self.open.lock();
        open.retain(|activity| activity.strong_count() > 0);
        let mut idle: Vec<Arc<Activity>> =
            open.iter().filter_map(Weak::upgrade).filter(|activity| activity.is_idle()).collect();
        drop(open);
        let leaving = (self.slots / LEAVING_SHARE).max(1).min(idle.len());
        if leaving == 0 {
            return;
        }
        idle.select_nth_unstable_by_key(leaving - 1, |activity| activity.since_ms.load(Ordering::Relaxed));
        idle[..leaving].iter().for_each(|activity| activity.leave.notify_one());
        tracing::warn!(
            connections = self.slots,
            leaving,
            "too many connections: the longest idle are closed"
        );
    }

    fn connection(&self, stream: TcpStream, slot: Option<OwnedSemaphorePermit>) -> Connection {
        let address =
            stream.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| same_client(address.ip()));
        let activity = Arc::new(Activity::new(self.started));
        let mut open = self.open.lock();
        // Those that are gone are forgotten now and then, so that the list stays as long as it may be.
        if open.len() >= 2 * self.slots.max(1) {
            open.retain(|activity| activity.strong_count() > 0);
        }
        open.push(Arc::downgrade(&activity));
        drop(open);
        // A handshake counts as a head: nobody needs longer for it.
        let head = self.tls.as_ref().map(|_| Head { before: 0, since: Instant::now() });
        let stream = match &self.tls {
            Some(tls) => Stream::Shaking(Box::new(tls.accept(stream))),
            None => Stream::Plain(stream),
        };
        Connection {
            stream,
            idle: self.idle,
            timer: Box::pin(tokio::time::sleep(self.idle)),
            head_time: self.head,
            head,
            head_timer: None,
            is_http2: false,
            activity,
            ended_seen: 0,
            lingering: None,
            address,
            _slot: slot,
        }
    }
}

/// A v4 client on a v6 socket is the same client.
fn same_client(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4),
        address => address,
    }
}

fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// As many connections as are configured, and as the system lets this process have.
fn slots(wanted: usize) -> usize {
    let needed = (wanted as u64).saturating_add(FILES_KEPT);
    let Some(files) = files_max(needed).filter(|files| *files < needed) else { return wanted };
    let slots = usize::try_from(files.saturating_sub(FILES_KEPT)).unwrap_or(wanted).clamp(1, wanted.max(1));
    tracing::warn!(
        files,
        connections = slots,
        "the limit of open files is too low for {wanted} connections: raise it (ulimit -n, LimitNOFILE)"
    );
    slots
}

/// How many files may be open, raised as far as is needed and allowed; none where nobody says.
#[cfg(unix)]
fn files_max(needed: u64) -> Option<u64> {
    let (soft, hard) = rlimit::Resource::NOFILE.get().ok()?;
    if soft >= needed {
        return Some(soft);
    }
    let raised = needed.min(hard);
    // Where it can't be raised it is what it was.
    Some(rlimit::Resource::NOFILE.set(raised, hard).map_or(soft, |()| raised))
}

#[cfg(not(unix))]
fn files_max(_: u64) -> Option<u64> {
    None
}

/// One client's connection.
pub struct Connection {
    stream: Stream,
    idle: Duration,
    timer: Pin<Box<Sleep>>,
    head_time: Duration,
    head: Option<Head>,
    /// Made when a head doesn't come in one piece, which is rare.
    head_timer: Option<Pin<Box<Sleep>>>,
    is_http2: bool,
    activity: Arc<Activity>,
    /// How many requests had ended when the timer was set.
    ended_seen: usize,
    /// Since when and how much it reads what nobody wants any more, before it ends.
    lingering: Option<Lingering>,
    address: IpAddr,
    _slot: Option<OwnedSemaphorePermit>,
}

/// A connection of which the host has said all, to a client that may still be sending.
struct Lingering {
    end: Pin<Box<Sleep>>,
    bytes_left: usize,
}

/// A request's head that has begun to come in.
struct Head {
    /// How many requests had begun before it: when there is one more, it was whole.
    before: usize,
    since: Instant,
}

impl Connection {
    /// The client at its other end.
    pub fn info(&self) -> ConnectionInfo {
        ConnectionInfo::new(self.address, self.activity.clone())
    }

    /// Pending while the connection may stay open. The timer is looked at only when it fires: a
    /// request under way, or one that ended since it was set, gives the connection another turn.
    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        while self.timer.as_mut().poll(context).is_ready() {
            let ended = self.activity.ended.load(Ordering::Relaxed);
            let was_used = std::mem::replace(&mut self.ended_seen, ended) != ended;
            if self.activity.is_idle() && !was_used {
                return Poll::Ready(too_slow("no request for too long"));
            }
            let next = Instant::now() + self.idle;
            self.timer.as_mut().reset(next);
        }
        Poll::Pending
    }

    /// Reads and throws away what the client still sends, until it stops or has had its time.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(lingering) = &mut self.lingering else { return Poll::Ready(()) };
        let mut piece = [MaybeUninit::uninit(); LINGER_PIECE_BYTES];
        while lingering.end.as_mut().poll(context).is_pending() {
            let mut piece = ReadBuf::uninit(&mut piece);
            if ready!(Pin::new(&mut self.stream).poll_read(context, &mut piece)).is_err() {
                break;
            }
            let read = piece.filled().len();
            lingering.bytes_left = lingering.bytes_left.saturating_sub(read);
            if read == 0 || lingering.bytes_left == 0 {
                break;
            }
        }
        Poll::Ready(())
    }

    /// Bytes have come: when no request is under way, a head begins with them or goes on.
    fn note_bytes(&mut self, bytes: &[u8]) {
        let before = self.activity.begun.load(Ordering::Relaxed);
        if before == 0 && HTTP2_START.starts_with(&bytes[..bytes.len().min(HTTP2_START.len())]) {
            // Frames come at any time there; an empty connection is cut by the idle time.
            self.is_http2 |= bytes.len() >= HTTP2_START.len();
        }
        let goes_on = self.head.as_ref().is_some_and(|head| head.before == before);
        if !goes_on && self.activity.is_idle() {
            self.head = Some(Head { before, since: Instant::now() });
        }
    }

    /// Pending while the head that comes in, if there is one, has time left.
    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let Some(head) = &self.head else { return Poll::Pending };
        if self.is_http2 || head.before != self.activity.begun.load(Ordering::Relaxed) {
            self.head = None;
            return Poll::Pending;
        }
        let deadline = head.since + self.head_time;
        let timer = self.head_timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(context).map(|()| too_slow("the request's head took too long"))
    }
}

fn too_slow(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, why)
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(error) = self.poll_idle(context) {
            return Poll::Ready(Err(error));
        }
        let before = into.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, into) {
            Poll::Pending => self.poll_head(context).map(Err),
            Poll::Ready(Ok(())) => {
                if let bytes @ [_, ..] = &into.filled()[before..] {
                    self.note_bytes(bytes);
                }
                Poll::Ready(Ok(()))
            }
            failed => failed,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Pending => self.poll_idle(context).map(Err),
            written => written,
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write_vectored(context, bytes) {
            Poll::Pending => self.poll_idle(context).map(Err),
            written => written,
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            if !self.activity.body_unread.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
            let end = Box::pin(tokio::time::sleep(LINGER_TIME));
            self.lingering = Some(Lingering { end, bytes_left: LINGER_BYTES_MAX });
        }
        self.poll_linger(context).map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(5);
    const LONG: Duration = Duration::from_secs(60);

    async fn connections(slots: usize, idle: Duration, head: Duration) -> Connections {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Connections::new(listener, None, ConnectionLimits { connections: slots, head, idle })
    }

    async fn pair(connections: &mut Connections) -> (Connection, TcpStream) {
        let address = connections.listener.local_addr().unwrap();
        let (client, connection) = tokio::join!(TcpStream::connect(address), connections.accept());
        (connection, client.unwrap())
    }

    async fn read(connection: &mut Connection) -> io::Result<usize> {
        let mut bytes = [0; 8];
        let mut buffer = ReadBuf::new(&mut bytes);
        std::future::poll_fn(|context| Pin::new(&mut *connection).poll_read(context, &mut buffer)).await?;
        Ok(buffer.filled().len())
    }

    async fn say(client: &TcpStream, text: &[u8]) {
        client.writable().await.unwrap();
        assert_eq!(client.try_write(text).unwrap(), text.len());
    }

    fn timed_out(read: io::Result<usize>) {
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_connection_without_requests_is_closed() {
        let (mut connection, _client) = pair(&mut connections(1, SHORT, LONG).await).await;
        timed_out(read(&mut connection).await);
    }

    #[tokio::test]
    async fn a_request_under_way_keeps_it_open() {
        let (mut connection, client) = pair(&mut connections(1, SHORT, LONG).await).await;
        let under_way = connection.info().request_under_way();
        // The timer fires several times while the answer is on its way; then the client speaks.
        let turns = connection.timer.deadline() + 4 * connection.idle;
        let speak = async {
            tokio::time::sleep_until(turns).await;
            say(&client, b"more").await;
        };
        let ((), heard) = tokio::join!(speak, read(&mut connection));
        assert_eq!(heard.unwrap(), 4);
        drop(under_way);
        timed_out(read(&mut connection).await);
    }

    #[tokio::test]
    async fn a_head_that_begins_has_to_end() {
        let (mut connection, client) = pair(&mut connections(1, LONG, SHORT).await).await;
        say(&client, b"P").await;
        assert_eq!(read(&mut connection).await.unwrap(), 1);
        // Another byte gives it no more time.
        let since = connection.head.as_ref().unwrap().since;
        say(&client, b"O").await;
        assert_eq!(read(&mut connection).await.unwrap(), 1);
        assert_eq!(connection.head.as_ref().unwrap().since, since);
        timed_out(read(&mut connection).await);
    }

    #[tokio::test]
    async fn a_head_that_was_whole_leaves_the_connection_its_idle_time() {
        let (mut connection, client) = pair(&mut connections(1, LONG, SHORT).await).await;
        say(&client, b"GET /").await;
        assert_eq!(read(&mut connection).await.unwrap(), 5);
        drop(connection.info().request_under_way());
        let silent = tokio::time::timeout(10 * SHORT, read(&mut connection)).await;
        assert!(silent.is_err(), "it may be idle");
        // So may one that speaks HTTP/2, where bytes come that are no request.
        let (mut connection, client) = pair(&mut connections(1, LONG, SHORT).await).await;
        say(&client, b"PRI * HT").await;
        assert_eq!(read(&mut connection).await.unwrap(), 8);
        assert!(tokio::time::timeout(10 * SHORT, read(&mut connection)).await.is_err());
    }

    #[tokio::test]
    async fn the_longest_idle_gives_its_place_to_a_newcomer() {
        let mut connections = connections(3, LONG, LONG).await;
        let (first, _first) = pair(&mut connections).await;
        let (second, _second) = pair(&mut connections).await;
        let (third, _third) = pair(&mut connections).await;
        let _under_way = first.info().request_under_way();
        // The third had a request a moment ago, the second never.
        third.activity.since_ms.fetch_add(1, Ordering::Relaxed);
        let leaving = async {
            second.info().slot_is_wanted().await;
            drop(second);
        };
        let ((fourth, _fourth), ()) = tokio::join!(pair(&mut connections), leaving);
        assert!(fourth.info().is_idle());
        for stays in [first, third] {
            let info = stays.info();
            let asked = tokio::time::timeout(SHORT, info.slot_is_wanted());
            assert!(asked.await.is_err(), "only one slot was wanted");
        }
    }
}
