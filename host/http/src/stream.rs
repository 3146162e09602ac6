//! What a client's bytes go through: the connection as it is, or TLS over it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::Accept;
use tokio_rustls::server::TlsStream;

/// A connection's stream. A handshake happens where the first bytes are read, in the task of its
/// own connection: a client that is slow with it keeps nobody else from being accepted.
pub enum Stream {
    /// As it is.
    Plain(TcpStream),
    /// TLS that is being agreed on.
    Shaking(Box<Accept<TcpStream>>),
    /// TLS.
    Secure(Box<TlsStream<TcpStream>>),
    /// Nothing was agreed on.
    Broken,
}

impl Stream {
    /// Ready when bytes can go through.
    fn poll_shaken(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Stream::Shaking(handshake) = self {
            let shaken = ready!(Pin::new(handshake.as_mut()).poll(context));
            *self = Stream::Broken;
            *self = Stream::Secure(Box::new(shaken?));
        }
        Poll::Ready(Ok(()))
    }
}

/// Does the same with either kind of stream, once it is ready.
macro_rules! through {
    ($self:ident, $context:ident, $call:ident($($argument:expr),*)) => {{
        ready!($self.poll_shaken($context))?;
        match &mut *$self {
            Stream::Plain(stream) => Pin::new(stream).$call($context, $($argument),*),
            Stream::Secure(stream) => Pin::new(stream.as_mut()).$call($context, $($argument),*),
            Stream::Shaking(_) | Stream::Broken => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }};
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        through!(self, context, poll_read(into))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        through!(self, context, poll_write(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        through!(self, context, poll_write_vectored(bytes))
    }

    fn is_write_vectored(&self) -> bool {
        // Both kinds can.
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        through!(self, context, poll_flush())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Secure(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
            // Nothing was agreed on that would have to be ended.
            Stream::Shaking(_) | Stream::Broken => Poll::Ready(Ok(())),
        }
    }
}
