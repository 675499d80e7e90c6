namespace Bramble.Wire.Snmp;

/// <summary>The version field of a message (RFC 3584 §1.1; 2 was SNMPv2u and is used by nobody).</summary>
public enum SnmpVersion
{
    V1 = 0,
    V2c = 1,
    V3 = 3,
}

/// <summary>What a PDU asks or tells: the low bits of its context tag (RFC 3416 §3).</summary>
public enum PduType
{
    Get = 0,
    GetNext = 1,
    Response = 2,
    Set = 3,
    GetBulk = 5,
    Inform = 6,
    Trap = 7,
    Report = 8,
}

/// <summary>The error-status of a response (RFC 3416 §3). Version 1 knows those up to <see cref="GenErr"/>.</summary>
public enum SnmpErrorStatus
{
    NoError = 0,
    TooBig = 1,
    NoSuchName = 2,
    BadValue = 3,
    ReadOnly = 4,
    GenErr = 5,
    NoAccess = 6,
    WrongType = 7,
    WrongLength = 8,
    WrongEncoding = 9,
    WrongValue = 10,
    NoCreation = 11,
    InconsistentValue = 12,
    ResourceUnavailable = 13,
    CommitFailed = 14,
    UndoFailed = 15,
    AuthorizationError = 16,
    NotWritable = 17,
    InconsistentName = 18,
}

/// <summary>The type of a value: its BER tag (RFC 2578 §7.1, RFC 3416 §3).</summary>
public enum SnmpType : byte
{
    Null = 0x05,
    Integer32 = 0x02,
    OctetString = 0x04,
    ObjectId = 0x06,
    IpAddress = 0x40,
    Counter32 = 0x41,
    Gauge32 = 0x42,
    TimeTicks = 0x43,
    Opaque = 0x44,
    Counter64 = 0x46,

    /// <summary>The agent has no such object at all. Not in version 1, which answers noSuchName.</summary>
    NoSuchObject = 0x80,

    /// <summary>The object exists, but not this instance of it.</summary>
    NoSuchInstance = 0x81,

    /// <summary>A walk has come to the end of what this agent shows.</summary>
    EndOfMibView = 0x82,
}
