//! The PROXY protocol: a header before everything else on a connection, by which a proxy tells whose connection it
//! passes on. <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// What every header of version 2 begins with.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Longest line of version 1, with its end.
const LINE: usize = 107;
/// Most bytes after the fixed part of version 2. Addresses take 36 at most; what else proxies add is small.
const REST: usize = 2048;

/// What a proxy said about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It comes from this address.
    From(SocketAddr),
    /// It is the proxy's own, such as a look whether we are alive, or of a kind that has no address.
    Nothing,
}

/// Reads the header and not one byte more. The caller limits the time.
pub(super) async fn read(stream: &mut TcpStream) -> io::Result<Said> {
    let mut bytes = [0; LINE];
    let start = bytes.first_chunk_mut::<12>().ok_or(io::ErrorKind::InvalidData)?;
    stream.read_exact(start).await?;
    if start == SIGNATURE {
        return binary(stream).await;
    }
    if !start.starts_with(b"PROXY ") {
        return Err(wrong("it begins in another way"));
    }
    let mut length = start.len();
    // What is waiting is looked at first, so that nothing behind the line is taken.
    loop {
        let waiting = stream.peek(&mut bytes[length..]).await?;
        if waiting == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let end = bytes[length..length + waiting].iter().position(|byte| *byte == b'\n');
        let part = end.map_or(waiting, |end| end + 1);
        stream.read_exact(&mut bytes[length..length + part]).await?;
        length += part;
        if end.is_some() {
            return line(&bytes[..length]);
        }
        if length == LINE {
            return Err(wrong("its line is too long"));
        }
    }
}

async fn binary(stream: &mut TcpStream) -> io::Result<Said> {
    let mut fixed = [0; 4];
    stream.read_exact(&mut fixed).await?;
    let [command, family, high, low] = fixed;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > REST {
        return Err(wrong("it is too long"));
    }
    let mut rest = [0; REST];
    let rest = &mut rest[..length];
    stream.read_exact(rest).await?;
    addresses(command, family, rest)
}

fn line(line: &[u8]) -> io::Result<Said> {
    let text = line.strip_suffix(b"\r\n").and_then(|line| std::str::from_utf8(line).ok());
    let text = text.and_then(|text| text.strip_prefix("PROXY ")).ok_or_else(|| wrong("its line is no text"))?;
    let words: Vec<&str> = text.split(' ').collect();
    if words[0] == "UNKNOWN" {
        return Ok(Said::Nothing);
    }
    let [family, source, target, source_port, target_port] = words[..] else {
        return Err(wrong("its line has not six words"));
    };
    let parse = |text: &str| -> io::Result<IpAddr> {
        let address = match family {
            "TCP4" => text.parse::<Ipv4Addr>().map(IpAddr::V4),
            "TCP6" => text.parse::<Ipv6Addr>().map(IpAddr::V6),
            _ => return Err(wrong("it names no known family")),
        };
        address.map_err(|_| wrong("it has no address of its family"))
    };
    let port = |text: &str| -> io::Result<u16> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits).ok_or_else(|| wrong("it has no port"))
    };
    // Our own address is not needed, but a line without it is broken.
    let (_, _) = (parse(target)?, port(target_port)?);
    Ok(Said::From(SocketAddr::new(parse(source)?, port(source_port)?)))
}

fn addresses(command: u8, family: u8, rest: &[u8]) -> io::Result<Said> {
    let from_proxy = match command {
        0x20 => true,
        0x21 => false,
        _ => return Err(wrong("it has another version or command")),
    };
    if from_proxy {
        return Ok(Said::Nothing);
    }
    let short = || wrong("it is too short for its addresses");
    let port = |at: usize| rest.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).map(u16::from_be_bytes);
    match family {
        0x11 => {
            let bytes = rest.first_chunk::<4>().filter(|_| rest.len() >= 12).ok_or_else(short)?;
            Ok(Said::From(SocketAddr::new(Ipv4Addr::from(*bytes).into(), port(8).ok_or_else(short)?)))
        }
        0x21 => {
            let bytes = rest.first_chunk::<16>().filter(|_| rest.len() >= 36).ok_or_else(short)?;
            Ok(Said::From(SocketAddr::new(Ipv6Addr::from(*bytes).into(), port(32).ok_or_else(short)?)))
        }
        // Unspecified, datagrams, Unix sockets: accepted, as the protocol demands, with nothing in them for us.
        0x00 | 0x12 | 0x22 | 0x31 | 0x32 => Ok(Said::Nothing),
        _ => Err(wrong("it names no known family")),
    }
}

fn wrong(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the header of the PROXY protocol is wrong: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    /// What is said by these bytes, and what is left of them.
    async fn said(bytes: &[u8]) -> io::Result<(Said, Vec<u8>)> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.write_all(bytes).await.unwrap();
        client.shutdown().await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let said = read(&mut stream).await?;
        let mut left = Vec::new();
        stream.read_to_end(&mut left).await.unwrap();
        Ok((said, left))
    }

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [SIGNATURE.as_slice(), &[command, family], &length, rest, b"GET"].concat()
    }

    #[tokio::test]
    async fn headers_of_both_versions_are_read() {
        let from = |address: &str| Said::From(address.parse().unwrap());
        let v4 = [1, 2, 3, 4, 127, 0, 0, 1, 0x12, 0x34, 0, 80];
        let mut v6 = [0; 36];
        v6[..2].copy_from_slice(&[0x20, 0x01]);
        v6[15] = 9;
        v6[32..34].copy_from_slice(&[0, 7]);
        let with_more = [v4.as_slice(), &[4, 0, 1, 0]].concat();
        let cases = [
            (b"PROXY TCP4 1.2.3.4 127.0.0.1 4660 80\r\nGET".to_vec(), from("1.2.3.4:4660")),
            (b"PROXY TCP6 2001::9 ::1 7 80\r\nGET".to_vec(), from("[2001::9]:7")),
            (b"PROXY UNKNOWN\r\nGET".to_vec(), Said::Nothing),
            (b"PROXY UNKNOWN anything at all\r\nGET".to_vec(), Said::Nothing),
            (v2(0x21, 0x11, &v4), from("1.2.3.4:4660")),
            (v2(0x21, 0x11, &with_more), from("1.2.3.4:4660")),
            (v2(0x21, 0x21, &v6), from("[2001::9]:7")),
            (v2(0x20, 0x00, &[]), Said::Nothing),
            (v2(0x20, 0x11, &v4), Said::Nothing),
            (v2(0x21, 0x31, &[0; 216]), Said::Nothing),
        ];
        for (bytes, wanted) in cases {
            let (said, left) = said(&bytes).await.unwrap();
            assert_eq!((said, left.as_slice()), (wanted, b"GET".as_slice()), "{}", bytes.escape_ascii());
        }
    }

    #[tokio::test]
    async fn broken_headers_are_refused() {
        let long = format!("PROXY TCP4 {} 127.0.0.1 1 2\r\n", "1".repeat(200));
        let cases: &[&[u8]] = &[
            b"",
            b"PROXY",
            b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00",
            b"PROXY TCP4 1.2.3.4 127.0.0.1 1 2\nGET / HTTP/1.1\r\n",
            b"PROXY TCP4 1.2.3.4 127.0.0.1 1\r\n",
            b"PROXY TCP4 1.2.3.4 127.0.0.1 1 2 3\r\n",
            b"PROXY TCP4 1.2.3.4  127.0.0.1 1 2\r\n",
            b"PROXY TCP4 ::1 127.0.0.1 1 2\r\n",
            b"PROXY TCP6 1.2.3.4 ::1 1 2\r\n",
            b"PROXY TCP4 1.2.3.400 127.0.0.1 1 2\r\n",
            b"PROXY TCP4 1.2.3.4 127.0.0.1 +1 2\r\n",
            b"PROXY TCP4 1.2.3.4 127.0.0.1 65536 2\r\n",
            b"PROXY UDP4 1.2.3.4 127.0.0.1 1 2\r\n",
            b"PROXY TCP4 \xff.2.3.4 127.0.0.1 1 2\r\n",
            b"PROXY TCP4 1.2.3.4 127.0.0.1 1 2",
            long.as_bytes(),
            &v2(0x11, 0x11, &[0; 12]),
            &v2(0x22, 0x11, &[0; 12]),
            &v2(0x21, 0x13, &[0; 12]),
            &v2(0x21, 0x11, &[0; 4]),
            &v2(0x21, 0x21, &[0; 12]),
            &v2(0x21, 0x11, &[0; 60_000]),
            &v2(0x21, 0x11, &[0; 12])[..20],
        ];
        for bytes in cases {
            assert!(said(bytes).await.is_err(), "{}", bytes.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(command: u8, family: u8, rest: Vec<u8>, text in "PROXY \\PC{0,90}") {
            let _ = addresses(command, family, &rest);
            let _ = line(text.as_bytes());
            let _ = line(&rest);
        }
    }
}
