//! A socket that counts: what the kernel took of us, and how much an answer may bring.
//!
//! The count of bytes that the kernel accepted, below TLS, is what tells `not-sent` from `unknown`. The bound on
//! bytes read holds whatever the layers above make of them: interim answers, chunk extensions, trailers.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The counts of one connection. One task uses them; they are atomic because the stream is owned by hyper.
#[derive(Default)]
pub struct Meter {
    written: AtomicU64,
    read: AtomicU64,
    read_limit: AtomicU64,
    exceeded: AtomicBool,
}

impl Meter {
    /// Bytes that the kernel took, since the connection was made.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// From now on at most so many bytes are read. Beyond, reading is an error.
    pub fn allow(&self, bytes: u64) {
        self.read_limit.store(self.read.load(Ordering::Relaxed).saturating_add(bytes), Ordering::Relaxed);
    }

    /// Did the peer send more than was allowed?
    pub fn is_exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Relaxed)
    }
}

/// A socket with its counts.
pub struct Metered {
    stream: TcpStream,
    meter: Arc<Meter>,
}

impl Metered {
    /// Counts this stream, and allows reading `bytes`.
    pub fn new(stream: TcpStream, bytes: u64) -> (Metered, Arc<Meter>) {
        let meter = Arc::new(Meter::default());
        meter.allow(bytes);
        (Metered { stream, meter: Arc::clone(&meter) }, meter)
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if let Poll::Ready(Ok(())) = polled {
            let got = (buf.filled().len() - before) as u64;
            let read = self.meter.read.fetch_add(got, Ordering::Relaxed) + got;
            if read > self.meter.read_limit.load(Ordering::Relaxed) {
                self.meter.exceeded.store(true, Ordering::Relaxed);
                return Poll::Ready(Err(io::Error::other("the peer sent more than may be read")));
            }
        }
        polled
    }
}

impl Metered {
    fn count(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = polled {
            self.meter.written.fetch_add(bytes as u64, Ordering::Relaxed);
        }
        polled
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.count(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.count(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
