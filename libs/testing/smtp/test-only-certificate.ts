/**
 * A self-signed certificate for localhost and the loopback addresses, valid from 2020 to 2119, and its key. It is no CA's,
 * since clients in Rust take none of a server that is. For tests only: the key is public.
 */
export const testOnlyCertificate = `-----BEGIN CERTIFICATE-----
MIIBvTCCAWOgAwIBAgIQIZr7w45wjThVc2a6vv3dmjAKBggqhkjOPQQDAjAwMRow
GAYDVQQKDBFUaWRpbmdzIHRlc3Qgb25seTESMBAGA1UEAwwJbG9jYWxob3N0MCAX
DTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAwMRowGAYDVQQKDBFUaWRp
bmdzIHRlc3Qgb25seTESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAE9iQq8JofmBYU5RKAH2+kNG7gEUu+qhKyhHtB3leSlosPg17b
f9pSXHHesxhrAZiPA6nzo0+IsuDNuoVGn8AyN6NdMFswDAYDVR0TAQH/BAIwADAd
BgNVHQ4EFgQUYN90Fj+mFRIWaoGtnPiDSu1uw8kwLAYDVR0RBCUwI4IJbG9jYWxo
b3N0hwR/AAABhxAAAAAAAAAAAAAAAAAAAAABMAoGCCqGSM49BAMCA0gAMEUCIEOy
44IhgE2vsU9Yk6MNVIJUmNoHh3snK+PZz0j5CxZTAiEA939cjuXSaSk0EkyC+QCC
KjedSsPDoIcBp6GnUaEcPIo=
-----END CERTIFICATE-----
`;

export const testOnlyKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQghbv5iLpHVSntd2Ag
6eg/5w6ARrmYupkOjUmbrDegpPahRANCAAT2JCrwmh+YFhTlEoAfb6Q0buARS76q
ErKEe0HeV5KWiw+DXtt/2lJccd6zGGsBmI8DqfOjT4iy4M26hUafwDI3
-----END PRIVATE KEY-----
`;
