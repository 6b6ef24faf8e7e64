use super::*;
use crate::samples::*;

fn limits() -> Limits {
    Limits::default()
}

fn facts(data: &[u8]) -> (Format, (u32, u32), u32, u8) {
    let found = walk(data, &limits()).unwrap();
    let size = found.shown_size();
    (found.format, (size.width, size.height), found.frames, found.orientation.to_exif())
}

fn cleaned(data: &[u8]) -> Vec<u8> {
    walk(data, &limits()).unwrap().cleaned(data)
}

#[test]
fn declared_facts() {
    let (opaque, holed) = (quarters(48, 32), holed(48, 32));
    let table = [
        (jpeg(&opaque), (Format::Jpeg, (48, 32), 1, 1)),
        (progressive_jpeg(&opaque), (Format::Jpeg, (48, 32), 1, 1)),
        (jpeg_with_metadata(&jpeg(&opaque), 6), (Format::Jpeg, (32, 48), 1, 6)),
        (png(opaque.clone()), (Format::Png, (48, 32), 1, 1)),
        (png_with_metadata(&png(opaque), 8), (Format::Png, (32, 48), 1, 8)),
        (apng(&holed, 3), (Format::Png, (48, 32), 3, 1)),
        (gif(&holed, 1), (Format::Gif, (48, 32), 1, 1)),
        (gif(&holed, 4), (Format::Gif, (48, 32), 4, 1)),
        (webp(&holed), (Format::Webp, (48, 32), 1, 1)),
        (webp_with_metadata(&holed, 3), (Format::Webp, (48, 32), 1, 3)),
        (animated_webp(&holed, 5), (Format::Webp, (48, 32), 5, 1)),
        (include_bytes!("../../tests/fixtures/quarters.avif").to_vec(), (Format::Avif, (48, 32), 1, 1)),
    ];
    for (data, expected) in table {
        assert_eq!(facts(&data), expected);
    }
}

#[test]
fn formats_by_magic() {
    let ftyp = |brands: &[u8]| [&(8 + brands.len() as u32).to_be_bytes(), b"ftyp".as_slice(), brands].concat();
    let table: [(&[u8], _); 12] = [
        (b"\xFF\xD8\xFF\xE0", Some(Format::Jpeg)),
        (b"\xFF\xD8", None),
        (b"", None),
        (b"<svg xmlns=", None),
        (b"BM123456", None),
        (b"GIF88a", None),
        (b"RIFF\0\0\0\0WAVE", None),
        (&ftyp(b"avif\0\0\0\0mif1"), Some(Format::Avif)),
        (&ftyp(b"mif1\0\0\0\0avif"), Some(Format::Avif)),
        (&ftyp(b"heic\0\0\0\0mif1"), Some(Format::Heic)),
        (&ftyp(b"mp42avifisom"), None),
        (&ftyp(b"isom\0\0\0\0mp41"), None),
    ];
    for (data, expected) in table {
        assert_eq!(Format::of(data), expected, "{data:?}");
    }
}

#[test]
fn metadata_goes_and_the_rest_stays_byte_for_byte() {
    let (opaque, holed) = (quarters(48, 32), holed(48, 32));
    let plain = png(opaque.clone());
    let dirty = png_with_metadata(&plain, 1);
    let gamma = png_chunk(b"gAMA", &45455u32.to_be_bytes());
    assert!(has_secret(&dirty));
    assert_eq!(cleaned(&dirty), png_with(&plain, &[gamma]));

    let plain = gif(&holed, 3);
    let dirty = gif_with_metadata(&plain);
    assert!(has_secret(&dirty));
    assert_eq!(cleaned(&dirty), plain);

    for plain in [jpeg(&opaque), progressive_jpeg(&opaque)] {
        let dirty = jpeg_with_metadata(&plain, 1);
        assert!(has_secret(&dirty));
        let clean = cleaned(&dirty);
        assert!(!has_secret(&clean));
        assert!(clean.ends_with(&plain[20..]), "tables and scans are the same");
        let profile = icc();
        assert!(clean.windows(profile.len()).any(|window| window == profile), "the colour profile stays");
        assert_eq!(&clean[2..20], b"\xFF\xE0\0\x10JFIF\0\x01\x02\x01\0\x48\0\x48\0\0", "no thumbnail");
    }

    let dirty = webp_with_metadata(&holed, 1);
    assert!(has_secret(&dirty));
    let clean = cleaned(&dirty);
    assert!(!has_secret(&clean));
    assert_eq!(clean[20], 0x10, "only the alpha flag is left");
    assert_eq!(u32::from_le_bytes(clean[4..8].try_into().unwrap()) as usize, clean.len() - 8);
    assert_eq!(&clean[30..], &webp(&holed)[12..]);
}

#[test]
fn cleaning_a_clean_file_changes_nothing() {
    let holed = holed(24, 16);
    for data in [
        jpeg(&quarters(24, 16)),
        png(holed.clone()),
        apng(&holed, 2),
        gif(&holed, 2),
        webp(&holed),
        animated_webp(&holed, 2),
    ] {
        assert_eq!(cleaned(&data), data);
    }
}

#[test]
fn too_many_pixels() {
    let mut header = 60_000u32.to_be_bytes().repeat(2);
    header.extend([8, 6, 0, 0, 0]);
    let png =
        [png::SIGNATURE, &png_chunk(b"IHDR", &header), &png_chunk(b"IDAT", b""), &png_chunk(b"IEND", b"")].concat();
    let mut gif = gif(&holed(8, 8), 1);
    gif[6..10].copy_from_slice(&[0xFF; 4]);
    let mut jpeg = jpeg(&quarters(8, 8));
    let frame = jpeg.windows(2).position(|window| window == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xFF; 4]);
    for data in [png, gif, jpeg] {
        let refused = walk(&data, &limits()).unwrap_err();
        assert!(matches!(refused, Fault::TooManyPixels { .. }), "{refused:?}");
    }
    let thin = Fault::TooManyPixels { width: 40_000, height: 2 };
    assert_eq!(limits().check_area(40_000, 2), Err(thin));
}

#[test]
fn too_many_frames_or_scans() {
    let holed = holed(8, 8);
    let limits = Limits { max_frames: 5, ..limits() };
    for data in [gif(&holed, 6), apng(&holed, 6), animated_webp(&holed, 6)] {
        assert_eq!(walk(&data, &limits).unwrap_err(), Fault::TooManyFrames { max: 5 });
    }
    let plain = jpeg(&quarters(8, 8));
    let scan = plain.windows(2).position(|window| window == [0xFF, 0xDA]).unwrap();
    let (head, tail) = plain.split_at(scan);
    let many = [head, &tail[..tail.len() - 2].repeat(101), &[0xFF, 0xD9]].concat();
    assert!(matches!(walk(&many, &limits), Err(Fault::Broken(_))));
}

#[test]
fn avif_parts_that_overlap_are_not_multiplied() {
    let file = include_bytes!("../../tests/fixtures/quarters.avif");
    assert!(avif_items(file).unwrap().alpha.is_none());
    let with_alpha = avif_items(include_bytes!("../../tests/fixtures/half-transparent.avif")).unwrap();
    assert!(with_alpha.alpha.is_some() && !with_alpha.is_premultiplied);
    for cut in 0..file.len() {
        let _ = avif_items(&file[..cut]);
        let _ = walk(&file[..cut], &limits());
    }
}
