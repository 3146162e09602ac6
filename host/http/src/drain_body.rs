//! Drains an unread body so that an early answer is not lost: left unread it would end the connection under a
//! client that is still sending, and the answer with it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response, StatusCode, Version, header};
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;

/// How much of an unread body is read and thrown away, in bytes: some sizes too many, not a film.
const DRAINED_BYTES_MAX: usize = 8 << 20;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// What a call leaves of its request's body; none when there is no body.
pub struct UnreadBody<B>(Option<Arc<Mutex<Left<B>>>>);

/// What became of a body that was lent to a call.
enum Left<B> {
    /// The call has it, or it has come to its end.
    Nothing,
    /// So much, which may be read.
    Some(B),
    /// All of it, and the client waits to be told to send it: it needn't, now that it is answered.
    Unsent,
}

/// A body that goes back when the call lets go of it.
struct Lent<B: HttpBody + Unpin> {
    body: Option<B>,
    /// The client sends nothing before somebody reads (`Expect: 100-continue`).
    waits: bool,
    back: Arc<Mutex<Left<B>>>,
}

/// Lends a request's body to the call.
pub fn lend<B>(request: Request<B>) -> (Request<Body>, UnreadBody<B>)
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<axum::BoxError>,
{
    if request.body().is_end_stream() {
        return (request.map(Body::new), UnreadBody(None));
    }
    let waits = request.headers().contains_key(header::EXPECT);
    let back = Arc::new(Mutex::new(Left::Nothing));
    let unread = UnreadBody(Some(back.clone()));
    (request.map(|body| Body::new(Lent { body: Some(body), waits, back })), unread)
}

impl<B> UnreadBody<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    /// Reads what is left and throws it away, within bounds, before the answer goes out. Where some of
    /// it stays the answer says that the connection ends with it. Says whether a client may still be
    /// sending on a connection that ends.
    pub async fn drain(self, version: Version, answer: &mut Response<Body>) -> bool {
        let Some(back) = self.0 else { return false };
        let left = std::mem::replace(&mut *back.lock(), Left::Nothing);
        let (is_read, waits) = match left {
            Left::Nothing => (true, false),
            Left::Unsent => (false, true),
            // It has had its time.
            Left::Some(_) if answer.status() == StatusCode::REQUEST_TIMEOUT => (false, true),
            Left::Some(body) => {
                let read = tokio::time::timeout(DRAIN_TIME, read_to_end(body)).await;
                (read.unwrap_or(false), false)
            }
        };
        // A stream of HTTP/2 ends alone.
        let ends = !is_read && version < Version::HTTP_2;
        if ends {
            answer.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
        }
        ends && !waits
    }
}

/// Whether the end was within the bound.
async fn read_to_end<B: HttpBody<Data = Bytes> + Unpin>(mut body: B) -> bool {
    let mut left = DRAINED_BYTES_MAX;
    loop {
        match std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            None => return true,
            Some(Err(_)) => return false,
            Some(Ok(frame)) => match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(less) => left = less,
                None => return false,
            },
        }
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Lent<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.waits = false;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = Pin::new(body).poll_frame(context);
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl<B: HttpBody + Unpin> Drop for Lent<B> {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        *self.back.lock() = if self.waits { Left::Unsent } else { Left::Some(body) };
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

    use super::*;

    /// A body whose pieces come one by one.
    struct Pieces(UnboundedReceiver<&'static [u8]>);

    impl HttpBody for Pieces {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
            let piece = self.0.poll_recv(context);
            piece.map(|piece| piece.map(|piece| Ok(Frame::data(Bytes::from_static(piece)))))
        }
    }

    /// A request, and the client that sends its body.
    fn request() -> (UnboundedSender<&'static [u8]>, Request<Pieces>) {
        let (client, pieces) = unbounded_channel();
        (client, Request::new(Pieces(pieces)))
    }

    fn is_closed(answer: &Response<Body>) -> bool {
        answer.headers().contains_key(header::CONNECTION)
    }

    fn answer(status: StatusCode) -> Response<Body> {
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = status;
        answer
    }

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(std::task::Waker::noop()))
    }

    #[tokio::test]
    async fn an_answer_waits_for_the_rest_of_a_body_that_nobody_read() {
        let (client, request) = request();
        client.send(b"one").unwrap();
        let (request, unread) = lend(request);
        drop(request);
        let mut refused = answer(StatusCode::UNAUTHORIZED);
        {
            let mut drain = std::pin::pin!(unread.drain(Version::HTTP_11, &mut refused));
            assert!(poll(drain.as_mut()).is_pending(), "more may come");
            client.send(b"two").unwrap();
            assert!(poll(drain.as_mut()).is_pending(), "and more");
            drop(client);
            assert!(poll(drain.as_mut()).is_ready());
        }
        assert!(!is_closed(&refused), "the connection is as good as before");
    }

    #[tokio::test]
    async fn nothing_is_waited_for_where_nothing_is_left() {
        let (empty, unread) = lend(Request::new(Body::empty()));
        drop(empty);
        let mut fine = answer(StatusCode::OK);
        unread.drain(Version::HTTP_11, &mut fine).await;
        let (client, request) = request();
        client.send(b"all").unwrap();
        drop(client);
        let (request, unread) = lend(request);
        assert_eq!(axum::body::to_bytes(request.into_body(), 8).await.unwrap(), "all");
        unread.drain(Version::HTTP_11, &mut fine).await;
        assert!(!is_closed(&fine));
    }

    #[tokio::test]
    async fn a_rest_that_is_not_read_ends_the_connection_with_the_answer() {
        let ends = |expects: bool, status, version| async move {
            // A client that sends no more, and doesn't end either.
            let (_client, mut request) = request();
            if expects {
                request.headers_mut().insert(header::EXPECT, "100-continue".parse().unwrap());
            }
            let (request, unread) = lend(request);
            drop(request);
            let mut answer = answer(status);
            unread.drain(version, &mut answer).await;
            is_closed(&answer)
        };
        assert!(ends(true, StatusCode::UNAUTHORIZED, Version::HTTP_11).await);
        assert!(ends(false, StatusCode::REQUEST_TIMEOUT, Version::HTTP_11).await);
        assert!(!ends(false, StatusCode::REQUEST_TIMEOUT, Version::HTTP_2).await);
        let (film, request) = request();
        static MIB: [u8; 1 << 20] = [0; 1 << 20];
        (0..9).for_each(|_| film.send(&MIB).unwrap());
        let (request, unread) = lend(request);
        drop(request);
        let mut refused = answer(StatusCode::NOT_FOUND);
        unread.drain(Version::HTTP_11, &mut refused).await;
        assert!(is_closed(&refused), "a film is not watched to its end");
    }
}
