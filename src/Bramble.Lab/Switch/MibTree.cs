using Bramble.Wire.Snmp;

namespace Bramble.Lab.Switch;

/// <summary>One instance of an object: its name, how it is read and, if a manager may set it, how.</summary>
/// <param name="Name">The whole name, instance included.</param>
/// <param name="Read">Its value now.</param>
/// <param name="Check">What is wrong with a value that is to be set; null if the object is read-only.</param>
/// <param name="Commit">Sets a value that <paramref name="Check"/> found good.</param>
internal sealed record MibObject(
    ObjectId Name, Func<SnmpValue> Read, Func<SnmpValue, SnmpErrorStatus>? Check = null,
    Action<SnmpValue>? Commit = null)
{
    /// <summary>An integer that may be set to one of the given values.</summary>
    public static MibObject Choice(ObjectId name, Func<int> read, Action<int> commit, params int[] allowed) => new(
        name, () => SnmpValue.Integer(read()),
        value => value.Type != SnmpType.Integer32 ? SnmpErrorStatus.WrongType
            : allowed.Contains((int)value.Number) ? SnmpErrorStatus.NoError : SnmpErrorStatus.WrongValue,
        value => commit((int)value.Number));

    /// <summary>A text that may be set.</summary>
    public static MibObject Text(ObjectId name, Func<string> read, Action<string> commit) => new(
        name, () => SnmpValue.Text(read()),
        value => value.Type != SnmpType.OctetString ? SnmpErrorStatus.WrongType
            : value.Octets.Length > 255 ? SnmpErrorStatus.WrongLength : SnmpErrorStatus.NoError,
        value => commit(value.AsText()));
}

/// <summary>
/// What an agent shows, in the order in which it is walked. Never changes; a new table is a new tree.
/// </summary>
internal sealed class MibTree
{
    private readonly MibObject[] _objects;
    private readonly ObjectId[] _names;

    public MibTree(IEnumerable<MibObject> objects)
    {
        _objects = [.. objects.OrderBy(o => o.Name)];
        _names = [.. _objects.Select(o => o.Name)];
    }

    /// <summary>The object of exactly this name.</summary>
    public MibObject? Find(ObjectId name) => Array.BinarySearch(_names, name) is >= 0 and var at ? _objects[at] : null;

    /// <summary>The first object behind the name, whether or not the name itself exists.</summary>
    public MibObject? Next(ObjectId name)
    {
        var at = Array.BinarySearch(_names, name);
        at = at >= 0 ? at + 1 : ~at;
        return at < _objects.Length ? _objects[at] : null;
    }

    /// <summary>
    /// True if there are instances of the object that the name belongs to: then what is missing is an instance, not
    /// the object (RFC 3416 §4.2.1). Told by the name less its last arc, which suits scalars and simple rows.
    /// </summary>
    public bool HasSiblings(ObjectId name)
    {
        if (name.Length < 2) return false;
        var parent = new ObjectId(name.Arcs[..^1]);
        return Next(parent)?.Name.StartsWith(parent) ?? false;
    }
}
