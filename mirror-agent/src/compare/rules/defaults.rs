//! What is left out unless told otherwise.

/// Headers that say who answered, when and over which connection, and not what.
pub(super) const HEADERS: &[&str] = &[
    // Hop by hop (RFC 9110, section 7.6.1); the names in `connection` are added per answer.
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    // Framing; the body is compared by itself.
    "content-length",
    // When, and who.
    "age",
    "alt-svc",
    "date",
    "etag",
    "expires",
    "last-modified",
    "server",
    "server-timing",
    "set-cookie",
    "via",
    "x-powered-by",
    "x-response-time",
    "x-runtime",
    "x-served-by",
    // Which request.
    "cf-ray",
    "request-id",
    "traceparent",
    "tracestate",
    "x-amz-request-id",
    "x-amzn-requestid",
    "x-amzn-trace-id",
    "x-b3-sampled",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-cloud-trace-context",
    "x-correlation-id",
    "x-envoy-upstream-service-time",
    "x-request-id",
    "x-trace-id",
];
