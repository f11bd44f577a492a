#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace device_streams {

/// The hop features of docs/wire-extensions.md ("Feature negotiation"), agreed with a hub of ours, never assumed.
struct Features {
    bool half_close = false;
    bool big_frames = false;
    bool pings = false;     ///< both ends of the leg send something every 30 s at least
    bool policy = false;    ///< the device is told which policy opens a stream; between hub and device only
    bool renewal = false;   ///< of the device's link, not of a stream: its client is known again by its instance
    bool reasons = false;   ///< why the device refuses a stream is told, as a code
    bool takeover = false;  ///< of the device's link: it is told that another machine's took its place
    bool operator==(const Features&) const = default;
};
/// What this build can do, on the hop of a service and on that of a device.
inline constexpr Features own_features{.half_close = true, .big_frames = true, .pings = true, .reasons = true};
inline constexpr Features device_hop_features{.half_close = true,
                                              .big_frames = true,
                                              .pings = true,
                                              .policy = true,
                                              .renewal = true,
                                              .reasons = true,
                                              .takeover = true};

/// From a comma-separated list; unknown names are ignored.
Features parse_features(std::string_view list);
/// "half-close,big-frames,pings,policy,renewal,reasons,takeover"; "none" when there is none.
std::string to_string(const Features& features);
Features common_features(const Features& a, const Features& b);
/// Whether the hub that named these for a stream is one of ours: those name "none" at least, others nothing.
constexpr bool from_own_hub(std::string_view list) {
    return !list.empty();
}

/// What a device's client of ours says of itself inside the free text of DeviceClientType, e.g. "device-proxy/0.1.0
/// (features=half-close,big-frames,pings,policy,renewal,reasons,takeover) (instance=0123456789abcdef)".
struct Announcement {
    Features features;
    std::string instance{};  ///< which process it is: 16 lower-case hex digits; empty: it does not say
    bool operator==(const Announcement&) const = default;
};
/// One for a process.
std::string make_instance_id();
std::string announce(std::string_view product, const Announcement& announcement);
/// nullopt: a foreign client, which announces no features. An instance that is none is ignored.
std::optional<Announcement> parse_announcement(std::string_view client_type);

/// The request and response header of the service side.
inline constexpr std::string_view features_header = "iothub-streaming-features";

}  // namespace device_streams
