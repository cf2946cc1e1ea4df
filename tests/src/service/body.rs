//! Response bodies with a declared length, or without one so that they go out chunked.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// The pieces of a body.
pub(super) struct Pieces {
    left: VecDeque<Bytes>,
    sized: bool,
}

impl Pieces {
    /// One piece, with a `content-length`.
    pub(super) fn whole(body: impl Into<Bytes>) -> Pieces {
        Pieces { left: VecDeque::from([body.into()]), sized: true }
    }

    /// Pieces of `size` bytes, without a `content-length`.
    pub(super) fn chunked(body: &Bytes, size: usize) -> Pieces {
        let cut = |from| body.slice(from..body.len().min(from + size));
        Pieces { left: (0..body.len()).step_by(size).map(cut).collect(), sized: false }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.left.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.iter().all(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.left.iter().map(|piece| piece.len() as u64).sum();
        if self.sized { SizeHint::with_exact(left) } else { SizeHint::default() }
    }
}
