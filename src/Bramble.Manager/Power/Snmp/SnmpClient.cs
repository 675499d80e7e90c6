using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Bramble.Wire.Snmp;

namespace Bramble.Manager.Power.Snmp;

/// <summary>
/// Asks one agent over UDP, one question in flight at a time: small switches have small minds. A question is asked
/// again with doubled patience until the tries are used up. The socket is connected, so that the kernel drops what
/// comes from anywhere else.
/// </summary>
internal sealed class SnmpClient(SnmpTarget target, TimeProvider time) : IDisposable
{
    /// <summary>Rows that a walk takes at most: more addresses than the largest access switch holds.</summary>
    public const int MostRows = 65_536;

    private const int RowsAtOnce = 25;

    // Discovery, then a clock that was off, then the question itself; more at one try is an agent that plays games.
    private const int MostAsksInOneTry = 4;

    private readonly SnmpConversation _conversation = SnmpConversation.With(target, time);
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(65_536);
    private Socket? _socket;
    private int _requestId = RandomNumberGenerator.GetInt32(int.MaxValue);

    /// <summary>Reads variables; one that is not there comes back as an exception value, in version 1 too.</summary>
    /// <exception cref="SnmpException">No answer, a refusal, or nonsense.</exception>
    public async Task<IReadOnlyList<VarBind>> GetAsync(IReadOnlyList<ObjectId> names, CancellationToken cancellation)
    {
        var answers = names.Select(n => new VarBind(n, SnmpValue.NoSuchObject)).ToArray();
        var wanted = Enumerable.Range(0, names.Count).ToList();
        while (wanted.Count > 0)
        {
            var answer = await ExchangeAsync(PduType.Get, [.. wanted.Select(i => new VarBind(names[i]))], cancellation)
                .ConfigureAwait(false);
            // Version 1 refuses the whole question for one name that it lacks: ask for the rest.
            if (target.Version == SnmpVersion.V1 && answer.ErrorStatus == SnmpErrorStatus.NoSuchName
                && answer.ErrorIndex >= 1 && answer.ErrorIndex <= wanted.Count)
            {
                wanted.RemoveAt(answer.ErrorIndex - 1);
                continue;
            }
            Check(answer, "GET");
            if (!answer.Bindings.Select(b => b.Name).SequenceEqual(wanted.Select(i => names[i])))
                throw new SnmpException(SnmpFailure.Nonsense, "it answered a GET with other variables than asked for");
            for (var i = 0; i < wanted.Count; i++) answers[wanted[i]] = answer.Bindings[i];
            break;
        }
        return answers;
    }

    /// <summary>Sets one variable.</summary>
    /// <exception cref="SnmpException">No answer, a refusal, or nonsense.</exception>
    public async Task SetAsync(ObjectId name, SnmpValue value, CancellationToken cancellation) =>
        Check(await ExchangeAsync(PduType.Set, [new VarBind(name, value)], cancellation).ConfigureAwait(false), "SET");

    /// <summary>Reads everything below a name, in order.</summary>
    /// <exception cref="SnmpException">
    /// No answer, a refusal, or nonsense such as a walk that runs in circles.
    /// </exception>
    public async Task<IReadOnlyList<VarBind>> WalkAsync(ObjectId root, CancellationToken cancellation)
    {
        var rows = new List<VarBind>();
        var last = root;
        while (true)
        {
            var answer = target.Version == SnmpVersion.V1
                ? await ExchangeAsync(PduType.GetNext, [new VarBind(last)], cancellation).ConfigureAwait(false)
                : await ExchangeAsync(PduType.GetBulk, [new VarBind(last)], cancellation).ConfigureAwait(false);
            if (target.Version == SnmpVersion.V1 && answer.ErrorStatus == SnmpErrorStatus.NoSuchName) return rows;
            Check(answer, "walk");
            foreach (var row in answer.Bindings)
            {
                if (row.Value.IsException || !row.Name.StartsWith(root)) return rows;
                if (row.Name <= last)
                    throw new SnmpException(SnmpFailure.Nonsense, $"its walk runs in circles at {row.Name}");
                if (rows.Count == MostRows)
                    throw new SnmpException(SnmpFailure.Nonsense, $"its table {root} has more than {MostRows} rows");
                rows.Add(row);
                last = row.Name;
            }
            if (answer.Bindings.Count == 0)
                throw new SnmpException(SnmpFailure.Nonsense, "it answered a walk with nothing");
        }
    }

    public void Dispose()
    {
        _socket?.Dispose();
        _one.Dispose();
    }

    private async Task<SnmpPdu> ExchangeAsync(
        PduType type, IReadOnlyList<VarBind> bindings, CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation).ConfigureAwait(false);
        var answered = false;
        try
        {
            _requestId = _requestId == int.MaxValue ? 1 : _requestId + 1;
            var request = new SnmpPdu(type, _requestId, bindings);
            if (type == PduType.GetBulk) request = request with { MaxRepetitions = RowsAtOnce };
            SocketException? trouble = null;
            var wait = target.Timeout;
            for (var tries = 0; tries <= target.Retries; tries++, wait *= 2)
            {
                using var patience = new CancellationTokenSource(wait, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
                try
                {
                    var answer = await TryOnceAsync(request, either.Token).ConfigureAwait(false);
                    answered = true;
                    return answer;
                }
                catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
                {
                    // This try's time is up.
                }
                catch (SocketException e)
                {
                    // Nothing listens there, or there is no way. A switch that starts is like that for a while.
                    trouble = e;
                    _socket?.Dispose();
                    _socket = null;
                    await WaitOutAsync(either.Token, cancellation).ConfigureAwait(false);
                }
            }
            throw NoAnswer(trouble);
        }
        finally
        {
            _conversation.End(answered);
            _one.Release();
        }
    }

    private async Task<SnmpPdu> TryOnceAsync(SnmpPdu request, CancellationToken patience)
    {
        var socket = _socket ??= await ConnectAsync(patience).ConfigureAwait(false);
        for (var asks = 0; asks < MostAsksInOneTry; asks++)
        {
            await socket.SendAsync(_conversation.Ask(request), SocketFlags.None, patience).ConfigureAwait(false);
            SnmpVerdict verdict;
            do
            {
                var length = await socket.ReceiveAsync(_buffer, SocketFlags.None, patience).ConfigureAwait(false);
                verdict = _conversation.Take(_buffer.AsSpan(0, length), request, out var answer);
                if (verdict == SnmpVerdict.Answer) return answer;
            }
            while (verdict == SnmpVerdict.Ignore);
        }
        throw new SnmpException(SnmpFailure.Security, "it goes on disputing its engine ID or its clock");
    }

    private async Task<Socket> ConnectAsync(CancellationToken patience)
    {
        if (!IPAddress.TryParse(target.Host, out var address))
        {
            var addresses = await Dns.GetHostAddressesAsync(target.Host, patience).ConfigureAwait(false);
            address = addresses.FirstOrDefault() ?? throw new SocketException((int)SocketError.HostNotFound);
        }
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, target.Port), patience).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task WaitOutAsync(CancellationToken patience, CancellationToken cancellation)
    {
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, patience).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
        }
    }

    private SnmpException NoAnswer(SocketException? trouble)
    {
        var tries = target.Retries + 1;
        var total = target.Timeout * ((1 << tries) - 1);
        var message = $"no answer to SNMP in {tries} {(tries == 1 ? "try" : "tries")}, "
            + $"{total.TotalSeconds:0.##} s in all";
        if (trouble?.SocketErrorCode == SocketError.ConnectionRefused)
            return new SnmpException(SnmpFailure.Unreachable,
                $"{message}: nothing listens on its UDP port {target.Port}; is SNMP turned on there?", trouble);
        if (trouble is not null)
            return new SnmpException(SnmpFailure.Unreachable, $"{message}: {trouble.Message}", trouble);
        var same = target.User is not { } user ? $"a wrong community for version {Shown(target.Version)}"
            : user.Privacy != UsmPrivacy.None ? "a wrong privacy password" : "a version 3 that is turned off";
        return new SnmpException(SnmpFailure.NoAnswer,
            $"{message}. It may be off or unreachable, or filter our address; {same} looks just the same");
    }

    private void Check(SnmpPdu answer, string verb)
    {
        if (answer.ErrorStatus == SnmpErrorStatus.NoError) return;
        var name = answer.ErrorStatus.ToString();
        var hint = answer.ErrorStatus switch
        {
            SnmpErrorStatus.NoAccess or SnmpErrorStatus.AuthorizationError => target.User is null
                ? "; does this community have the right to write?" : "; does this user have the right?",
            SnmpErrorStatus.NoSuchName when verb == "SET" =>
                "; is there such a port, and has this community the right to write?",
            SnmpErrorStatus.NotWritable or SnmpErrorStatus.NoCreation =>
                "; is there such a port, and does the switch allow it to be set?",
            _ => "",
        };
        throw new SnmpException(SnmpFailure.Refused,
            $"it refused the {verb}: {char.ToLowerInvariant(name[0])}{name[1..]}{hint}")
        {
            Status = answer.ErrorStatus,
        };
    }

    private static string Shown(SnmpVersion version) => version == SnmpVersion.V1 ? "1" : "2c";
}
