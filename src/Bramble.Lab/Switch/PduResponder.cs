using Bramble.Wire.Snmp;

namespace Bramble.Lab.Switch;

/// <summary>
/// Answers GET, GETNEXT, GETBULK and SET on a tree (RFC 3416 §4.2), in the manner of the message's version.
/// </summary>
internal static class PduResponder
{
    /// <summary>Variables that one GETBULK is answered with at most, whatever it asks for.</summary>
    private const int MostBulk = 1000;

    /// <param name="request">What is asked.</param>
    /// <param name="tree">What the asker may see.</param>
    /// <param name="mayWrite">Whether the asker may set anything.</param>
    /// <param name="version">Version 1 has neither exceptions, nor Counter64, nor the newer errors.</param>
    /// <param name="room">Octets that the variables of the answer may take.</param>
    public static SnmpPdu Respond(SnmpPdu request, MibTree tree, bool mayWrite, SnmpVersion version, int room)
    {
        var v1 = version == SnmpVersion.V1;
        var response = request.Type switch
        {
            PduType.Get => Get(request, tree, v1),
            PduType.GetNext => GetNext(request, tree, v1),
            PduType.GetBulk when !v1 => GetBulk(request, tree, room),
            PduType.Set => Set(request, tree, mayWrite),
            _ => Failed(request, SnmpErrorStatus.GenErr, 0),
        };
        if (response.Bindings.Sum(b => b.EncodedLength) > room)
            response = Failed(request, SnmpErrorStatus.TooBig, 0) with { Bindings = v1 ? request.Bindings : [] };
        return v1 ? response with { ErrorStatus = ForVersion1(response.ErrorStatus) } : response;
    }

    private static SnmpPdu Get(SnmpPdu request, MibTree tree, bool v1)
    {
        var answers = new List<VarBind>(request.Bindings.Count);
        foreach (var (name, _) in request.Bindings)
        {
            var value = tree.Find(name)?.Read()
                ?? (tree.HasSiblings(name) ? SnmpValue.NoSuchInstance : SnmpValue.NoSuchObject);
            if (v1 && (value.IsException || value.Type == SnmpType.Counter64))
                return Failed(request, SnmpErrorStatus.NoSuchName, answers.Count + 1);
            answers.Add(new VarBind(name, value));
        }
        return Answered(request, answers);
    }

    private static SnmpPdu GetNext(SnmpPdu request, MibTree tree, bool v1)
    {
        var answers = new List<VarBind>(request.Bindings.Count);
        foreach (var (name, _) in request.Bindings)
        {
            var next = After(tree, name, v1);
            if (v1 && next.Value.IsException) return Failed(request, SnmpErrorStatus.NoSuchName, answers.Count + 1);
            answers.Add(next);
        }
        return Answered(request, answers);
    }

    // §4.2.3: row by row, one variable of each repeater; whole answers are cut at the end, never refused as too big.
    private static SnmpPdu GetBulk(SnmpPdu request, MibTree tree, int room)
    {
        var singles = Math.Clamp(request.NonRepeaters, 0, request.Bindings.Count);
        var answers = new List<VarBind>();
        bool Add(VarBind binding)
        {
            room -= binding.EncodedLength;
            if (room < 0 || answers.Count == MostBulk) return false;
            answers.Add(binding);
            return true;
        }

        foreach (var (name, _) in request.Bindings.Take(singles))
            if (!Add(After(tree, name, v1: false))) return Answered(request, answers);
        ObjectId[] columns = [.. request.Bindings.Skip(singles).Select(b => b.Name)];
        for (var row = 0; row < request.MaxRepetitions && columns.Length > 0; row++)
        {
            var ended = true;
            for (var i = 0; i < columns.Length; i++)
            {
                var next = After(tree, columns[i], v1: false);
                if (!Add(next)) return Answered(request, answers);
                columns[i] = next.Name;
                ended &= next.Value.IsException;
            }
            if (ended) break;
        }
        return Answered(request, answers);
    }

    // §4.2.5: all variables are checked before one is set, so that a SET happens whole or not at all.
    private static SnmpPdu Set(SnmpPdu request, MibTree tree, bool mayWrite)
    {
        var targets = new List<MibObject>(request.Bindings.Count);
        foreach (var (name, value) in request.Bindings)
        {
            var target = tree.Find(name);
            var error = !mayWrite ? SnmpErrorStatus.NoAccess
                : target is null && tree.HasSiblings(name) ? SnmpErrorStatus.NoCreation
                : target?.Check is not { } check ? SnmpErrorStatus.NotWritable
                : check(value);
            if (error != SnmpErrorStatus.NoError) return Failed(request, error, targets.Count + 1);
            targets.Add(target!);
        }
        for (var i = 0; i < targets.Count; i++) targets[i].Commit?.Invoke(request.Bindings[i].Value);
        return Answered(request, request.Bindings);
    }

    private static VarBind After(MibTree tree, ObjectId name, bool v1)
    {
        var current = name;
        while (tree.Next(current) is { } next)
        {
            var value = next.Read();
            // RFC 3584 §4.2.2.1: version 1 cannot carry a Counter64; its walk steps over it.
            if (!v1 || value.Type != SnmpType.Counter64) return new VarBind(next.Name, value);
            current = next.Name;
        }
        return new VarBind(name, SnmpValue.EndOfMibView);
    }

    private static SnmpPdu Answered(SnmpPdu request, IReadOnlyList<VarBind> bindings) =>
        new(PduType.Response, request.RequestId, bindings);

    private static SnmpPdu Failed(SnmpPdu request, SnmpErrorStatus error, int index) =>
        new(PduType.Response, request.RequestId, request.Bindings) { ErrorStatus = error, ErrorIndex = index };

    // RFC 3584 §4.4: the newer errors in the words of version 1.
    private static SnmpErrorStatus ForVersion1(SnmpErrorStatus error) => error switch
    {
        SnmpErrorStatus.WrongType or SnmpErrorStatus.WrongLength or SnmpErrorStatus.WrongEncoding
            or SnmpErrorStatus.WrongValue or SnmpErrorStatus.InconsistentValue => SnmpErrorStatus.BadValue,
        SnmpErrorStatus.NoAccess or SnmpErrorStatus.NotWritable or SnmpErrorStatus.NoCreation
            or SnmpErrorStatus.InconsistentName or SnmpErrorStatus.AuthorizationError => SnmpErrorStatus.NoSuchName,
        > SnmpErrorStatus.GenErr => SnmpErrorStatus.GenErr,
        _ => error,
    };
}
