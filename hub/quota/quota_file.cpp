#include "hub/quota/quota_file.hpp"

#include "common/app/private_files.hpp"
#include "common/async/run_on.hpp"
#include "common/base/error.hpp"

#include <asio/executor_work_guard.hpp>
#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>

namespace device_streams::hub {

namespace {

using nlohmann::json;

// Names are bounded, and so is how many of them are remembered.
constexpr std::size_t longest_file = 256 * 1024 * 1024;

// nullopt: there is none, or it is out of reach.
std::optional<std::string> content_of(const std::filesystem::path& file) {
    std::error_code failed;
    const auto size = std::filesystem::file_size(file, failed);
    if (failed || size > longest_file) return std::nullopt;
    std::ifstream in(file, std::ios::binary);
    if (!in) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

std::string write_volumes(const DayVolumes& volumes) {
    json all{{"day", volumes.day.time_since_epoch().count()}};  // since 1970
    for (const auto scope : quota_scopes) all[std::string(to_string(scope))] = at_scope(volumes.bytes, scope);
    return all.dump(-1, ' ', true, json::error_handler_t::replace) + "\n";
}

std::optional<DayVolumes> parse_volumes(std::string_view text) {
    try {
        const auto all = json::parse(text);
        DayVolumes volumes{std::chrono::sys_days(std::chrono::days(all.at("day").get<int>())), {}};
        for (const auto scope : quota_scopes)
            all.at(std::string(to_string(scope))).get_to(at_scope(volumes.bytes, scope));
        return volumes;
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

QuotaFile::QuotaFile(std::shared_ptr<StreamQuotas> quotas, std::filesystem::path file, std::function<void()> count,
                     Clock& clock, Log log)
    : quotas_(std::move(quotas)),
      file_(std::move(file)),
      count_(std::move(count)),
      clock_(clock),
      log_(std::move(log)),
      files_(asio::make_strand(asio::any_io_executor(thread_.get_executor()))) {
}

QuotaFile::~QuotaFile() {
    thread_.join();
}

void QuotaFile::load() {
    if (file_.empty() || !std::filesystem::exists(file_)) return;
    const auto text = content_of(file_);
    const auto volumes = text ? parse_volumes(*text) : std::nullopt;
    if (!volumes) return report({Errc::state_unusable, "it is damaged: what was carried today counts from 0"});
    written_ = *text;
    quotas_->restore(*volumes);
}

asio::awaitable<void> QuotaFile::run() {
    auto next_save = clock_.now() + save_every;
    for (;;) {
        co_await clock_.sleep_for(count_every);
        count_();
        if (clock_.now() < next_save) continue;
        next_save = clock_.now() + save_every;
        co_await save();
    }
}

asio::awaitable<void> QuotaFile::save() {
    const auto busy = asio::make_work_guard(co_await asio::this_coro::executor);
    auto work = [this] { return write(false); };
    co_await run_on(files_, work);
}

asio::awaitable<void> QuotaFile::yield() {
    count_();
    const auto busy = asio::make_work_guard(co_await asio::this_coro::executor);
    auto work = [this] { return write(true); };
    co_await run_on(files_, work);
}

asio::awaitable<void> QuotaFile::finish() {
    count_();
    co_await save();
}

bool QuotaFile::write(bool last_of_ours) {
    if (file_.empty()) return false;
    auto text = write_volumes(quotas_->volumes());
    const bool ours = !yielded_ || content_of(file_) == written_;
    yielded_ = yielded_ || last_of_ours;
    if (!ours || text == written_) return false;
    try {
        put(text);
    } catch (const Failure& failure) {
        report(failure);
        return false;
    }
    written_ = std::move(text);
    failing_ = false;
    return true;
}

void QuotaFile::put(const std::string& text) {
    auto fresh = file_;
    fresh += ".new";
    std::error_code failed;
    std::filesystem::remove(fresh, failed);  // of a hub that was killed while it wrote
    write_private_file(fresh, text);
    std::filesystem::rename(fresh, file_, failed);
    if (failed) throw Failure(Errc::state_unusable, file_.string() + ": " + failed.message());
}

void QuotaFile::report(const Failure& failure) {
    if (std::exchange(failing_, true)) return;
    const auto& info = describe(failure.errc());
    log_.warning("the day's volumes are not kept",
                 {{"code", info.id}, {"file", file_.string()}, {"reason", failure.detail()}, {"next", info.advice}});
}

}  // namespace device_streams::hub
