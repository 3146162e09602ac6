//! Connections, bounded in number, and closed when they hold no request for too long: a client
//! that sends its headers a byte a minute costs a place, but not for ever.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

use super::limits::ApiLimits;
use super::stream::Stream;
use super::tls::Tls;

/// A listener that accepts while there is room; others wait in the kernel's queue.
pub struct Connections {
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    room: Arc<Semaphore>,
    idle: Duration,
}

impl Connections {
    /// Accepts from this listener within these limits, with TLS when there is a certificate.
    pub fn new(listener: TcpListener, tls: Option<Arc<Tls>>, limits: &ApiLimits) -> Connections {
        Connections {
            listener,
            tls,
            room: Arc::new(Semaphore::new(limits.connections)),
            idle: Duration::from_secs(limits.idle_seconds),
        }
    }
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // The semaphore is never closed.
        let place = self.room.clone().acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Answers are written whole: waiting for more to put into a packet only delays them.
        if let Err(cause) = stream.set_nodelay(true) {
            tracing::debug!(%cause, "a connection keeps Nagle's delay");
        }
        let stream = match &self.tls {
            Some(tls) => Stream::Shaking(Box::new(tls.accept(stream))),
            None => Stream::Plain(stream),
        };
        let connection = Connection {
            stream,
            idle: self.idle,
            timer: Box::pin(tokio::time::sleep(self.idle)),
            under_way: Arc::default(),
            _place: place,
        };
        (connection, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// One client's connection.
pub struct Connection {
    stream: Stream,
    idle: Duration,
    timer: Pin<Box<Sleep>>,
    under_way: Arc<UnderWay>,
    _place: Option<OwnedSemaphorePermit>,
}

/// How many requests of a connection are under way, and how many there were.
#[derive(Default)]
struct UnderWay {
    now: AtomicUsize,
    ended: AtomicUsize,
    /// `ended` as the timer saw it last.
    seen: AtomicUsize,
}

impl Connection {
    /// Pending while the connection may stay open. The timer is looked at only when it fires: a
    /// request under way, or one that ended since it was set, gives the connection another turn.
    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        while self.timer.as_mut().poll(context).is_ready() {
            let ended = self.under_way.ended.load(Ordering::Relaxed);
            let was_used = self.under_way.seen.swap(ended, Ordering::Relaxed) != ended;
            if self.under_way.now.load(Ordering::Relaxed) == 0 && !was_used {
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "no request for too long"));
            }
            let next = Instant::now() + self.idle;
            self.timer.as_mut().reset(next);
        }
        Poll::Pending
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.poll_idle(context) {
            Poll::Ready(error) => Poll::Ready(Err(error)),
            Poll::Pending => Pin::new(&mut self.stream).poll_read(context, into),
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
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Who is at the other end of a request's connection.
#[derive(Clone)]
pub struct Peer {
    address: IpAddr,
    under_way: Arc<UnderWay>,
}

impl Peer {
    /// The client's address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Keeps the connection open until the result is dropped.
    pub fn request_under_way(&self) -> RequestUnderWay {
        self.under_way.now.fetch_add(1, Ordering::Relaxed);
        RequestUnderWay(self.under_way.clone())
    }
}

/// A request that is being answered.
pub struct RequestUnderWay(Arc<UnderWay>);

impl Drop for RequestUnderWay {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, Connections>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Peer {
        let address = match stream.remote_addr().ip() {
            // A v4 client on a v6 socket is the same client.
            IpAddr::V6(address) => {
                address.to_ipv4_mapped().map_or(IpAddr::V6(address), |v4: Ipv4Addr| IpAddr::V4(v4))
            }
            address => address,
        };
        Peer { address, under_way: stream.io().under_way.clone() }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    async fn pair(idle: Duration) -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut connections = Connections { listener, tls: None, room: Arc::new(Semaphore::new(1)), idle };
        let (client, (connection, _)) = tokio::join!(TcpStream::connect(address), connections.accept());
        (connection, client.unwrap())
    }

    async fn read(connection: &mut Connection) -> io::Result<usize> {
        let mut bytes = [0; 8];
        let mut buffer = ReadBuf::new(&mut bytes);
        std::future::poll_fn(|context| Pin::new(&mut *connection).poll_read(context, &mut buffer)).await?;
        Ok(buffer.filled().len())
    }

    #[tokio::test]
    async fn a_connection_without_requests_is_closed() {
        let (mut connection, _client) = pair(Duration::from_millis(5)).await;
        assert_eq!(read(&mut connection).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_request_under_way_keeps_it_open() {
        let (mut connection, client) = pair(Duration::from_millis(5)).await;
        let peer = Peer { address: IpAddr::from([127, 0, 0, 1]), under_way: connection.under_way.clone() };
        let under_way = peer.request_under_way();
        // The timer fires several times while the answer is on its way; then the client speaks.
        let turns = connection.timer.deadline() + 4 * connection.idle;
        let speak = async {
            tokio::time::sleep_until(turns).await;
            client.writable().await.unwrap();
            client.try_write(b"more").unwrap()
        };
        let (spoken, heard) = tokio::join!(speak, read(&mut connection));
        assert_eq!((spoken, heard.unwrap()), (4, 4));
        drop(under_way);
        assert_eq!(read(&mut connection).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
