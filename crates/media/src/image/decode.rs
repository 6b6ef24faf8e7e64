//! From a file to the pixels of its first frame.

use super::avif;
use super::bitmap::{Bitmap, Layout};
use crate::container::Anatomy;
use crate::{Fault, Format, Limits, Size};
use ::image::codecs::gif::GifDecoder;
use ::image::codecs::png::PngDecoder;
use ::image::codecs::webp::WebPDecoder;
use ::image::{DynamicImage, ImageDecoder, ImageError, ImageResult};
use jpeg_decoder::{Decoder as JpegDecoder, PixelFormat};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Memory a decoder may ask for per pixel of the limit: 16 bits of four channels, twice.
const BYTES_PER_PIXEL: u64 = 16;

/// Decodes the first frame; it is not turned. Where that is cheaper it comes smaller, but not smaller
/// than `wanted` by more than a rounding. A decoder that panics says that the file is broken.
pub(crate) fn decode(data: &[u8], anatomy: &Anatomy, wanted: Size, limits: &Limits) -> Result<Bitmap, Fault> {
    let allocation = allocation(limits);
    let work = AssertUnwindSafe(|| match anatomy.format {
        Format::Jpeg => jpeg(data, wanted, limits),
        Format::Png => any(PngDecoder::with_limits(Cursor::new(data), allocation.clone()), allocation),
        Format::Gif => any(GifDecoder::new(Cursor::new(data)), allocation),
        Format::Webp => any(WebPDecoder::new(Cursor::new(data)), allocation),
        Format::Avif => avif::decode(data, limits).map(|bitmap| bitmap.with_icc(anatomy.icc.clone())),
        Format::Heic => Err(Fault::Undecodable("HEIC")),
    });
    let bitmap = catch_unwind(work).unwrap_or_else(|_| {
        tracing::error!(format = ?anatomy.format, "a decoder panicked");
        Err(cannot())
    })?;
    match bitmap.size == anatomy.size || anatomy.format == Format::Jpeg {
        true => Ok(bitmap),
        false => Err(Fault::broken("its sizes do not agree")),
    }
}

fn cannot() -> Fault {
    Fault::broken("it cannot be decoded")
}

fn undecodable(failure: ImageError) -> Fault {
    tracing::debug!(%failure, "a picture cannot be decoded");
    cannot()
}

fn jpeg(data: &[u8], wanted: Size, limits: &Limits) -> Result<Bitmap, Fault> {
    let failed = |failure| {
        tracing::debug!(%failure, "a JPEG cannot be decoded");
        cannot()
    };
    let mut decoder = JpegDecoder::new(data);
    let bytes = limits.max_pixels.saturating_mul(4);
    decoder.set_max_decoding_buffer_size(usize::try_from(bytes).unwrap_or(usize::MAX));
    let side = |length: u32| u16::try_from(length).unwrap_or(u16::MAX);
    // Half, quarter and eighth sizes cost a part of the full one.
    decoder.scale(side(wanted.width), side(wanted.height)).map_err(failed)?;
    let pixels = decoder.decode().map_err(failed)?;
    let info = decoder.info().ok_or_else(cannot)?;
    let size = Size { width: info.width.into(), height: info.height.into() };
    let rgb = match info.pixel_format {
        PixelFormat::RGB24 => pixels,
        PixelFormat::L8 => pixels.iter().flat_map(|grey| [*grey; 3]).collect(),
        PixelFormat::L16 => pixels
            .chunks_exact(2)
            .flat_map(|grey| [u16::from_ne_bytes([grey[0], grey[1]]) >> 8; 3])
            .map(|grey| grey as u8)
            .collect(),
        PixelFormat::CMYK32 => {
            pixels.chunks_exact(4).flat_map(|ink| [ink[0], ink[1], ink[2]].map(|c| without(c, ink[3]))).collect()
        }
    };
    Ok(Bitmap::new(size, Layout::Rgb, rgb)?.with_icc(decoder.icc_profile()))
}

/// What is left of a colour under its ink and black.
fn without(ink: u8, black: u8) -> u8 {
    let left = (255 - u16::from(ink)) * (255 - u16::from(black)) / 255;
    left.min(255) as u8
}

fn allocation(limits: &Limits) -> ::image::Limits {
    let mut allocation = ::image::Limits::default();
    allocation.max_alloc = Some(limits.max_pixels.saturating_mul(BYTES_PER_PIXEL));
    allocation
}

fn any(decoder: ImageResult<impl ImageDecoder>, limits: ::image::Limits) -> Result<Bitmap, Fault> {
    let mut decoder = decoder.map_err(undecodable)?;
    decoder.set_limits(limits).map_err(undecodable)?;
    let icc = decoder.icc_profile().unwrap_or_default();
    let image = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    let size = Size { width: image.width(), height: image.height() };
    let bitmap = match image.color().has_alpha() {
        true => Bitmap::new(size, Layout::Rgba, image.into_rgba8().into_raw())?,
        false => Bitmap::new(size, Layout::Rgb, image.into_rgb8().into_raw())?,
    };
    Ok(bitmap.with_icc(icc))
}
