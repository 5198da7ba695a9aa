use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;

/// The body of an answer that comes in chunks, behind its head.
pub(crate) struct Chunks {
    reader: BufReader<TcpStream>,
    left: usize,
}

impl Chunks {
    pub(crate) fn behind_head(reader: BufReader<TcpStream>) -> Chunks {
        Chunks { reader, left: 0 }
    }
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            let mut size = String::new();
            self.reader.read_line(&mut size)?;
            self.left = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
            if self.left == 0 {
                return Ok(0);
            }
        }
        let most = buffer.len().min(self.left);
        let read = self.reader.read(&mut buffer[..most])?;
        self.left -= read;
        if self.left == 0 {
            self.reader.read_line(&mut String::new())?;
        }
        Ok(read)
    }
}
