namespace Bramble.Wire.Dns;

/// <summary>Types of records and questions (IANA "RR TYPEs"). Others are carried as they are.</summary>
public enum DnsType : ushort
{
    A = 1,
    NS = 2,
    MD = 3,
    MF = 4,
    CNAME = 5,
    SOA = 6,
    MB = 7,
    MG = 8,
    MR = 9,
    PTR = 12,
    HINFO = 13,
    MINFO = 14,
    MX = 15,
    TXT = 16,
    RP = 17,
    AFSDB = 18,
    RT = 21,
    SIG = 24,
    PX = 26,
    AAAA = 28,
    NXT = 30,
    SRV = 33,
    NAPTR = 35,
    KX = 36,
    DNAME = 39,
    OPT = 41,
    RRSIG = 46,
    TKEY = 249,
    TSIG = 250,
    IXFR = 251,
    AXFR = 252,
    MAILB = 253,
    MAILA = 254,
    ANY = 255,
}

/// <summary>Classes. Everything of today is <see cref="IN"/>.</summary>
public enum DnsClass : ushort
{
    IN = 1,
    CH = 3,
    HS = 4,
    None = 254,
    Any = 255,
}

/// <summary>What a message asks to be done (RFC 1035 §4.1.1, RFC 6895 §2.2).</summary>
public enum DnsOpcode : byte
{
    Query = 0,
    InverseQuery = 1,
    Status = 2,
    Notify = 4,
    Update = 5,
}

/// <summary>How it went. Above 15 the upper bits travel in the OPT record (RFC 6891 §6.1.3).</summary>
public enum DnsResponseCode : ushort
{
    NoError = 0,
    FormatError = 1,
    ServerFailure = 2,
    NameError = 3,
    NotImplemented = 4,
    Refused = 5,
    BadVersion = 16,
}
